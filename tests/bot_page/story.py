"""A morning of the bot, lived through in the sandbox and written down as docs/bot.md."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from tests.bot_page.dialogues import a_call, a_report, an_administrator, another_clinic
from tests.bot_page.teller import (
    ADMINISTRATOR,
    KEEPER,
    MANAGER,
    NAMES,
    OWNER,
    Page,
    Story,
)
from tests.fixtures.application import process_day
from tests.fixtures.clinic_at_work import EVENING, TODAY, opened_clinic
from tests.fixtures.sandbox import DAY, RunningSandbox
from tests.fixtures.telegram_pace import hurried

from medai.bot.app import open_messenger
from medai.errors import ProviderStoppedError
from medai.members.models import Role
from medai.processing.runs import Run, RunKind
from medai.processing.stops import scope
from medai.processing.syncs import statistics
from medai.sandbox.credentials import BOT_TOKEN

_CRM_GONE = ProviderStoppedError(
    "amocrm", "amoCRM отключила интеграцию клиники: подключите её заново"
)


async def told(sandbox: RunningSandbox, dsn: str, folder: Path) -> Page:
    """Live through the morning; returns the page."""
    page = Page()
    async with _opened(sandbox, dsn, folder, page) as story:
        await _day_and_people(story)
        await _night(story)
        await _lost_patients(story)
        await _digests(story)
        await an_administrator(story)
        await a_report(story)
        await _trouble(story)
        await _monday(story)
        await another_clinic(story)
    return page


@asynccontextmanager
async def _opened(
    sandbox: RunningSandbox, dsn: str, folder: Path, page: Page
) -> AsyncIterator[Story]:
    wishes = {"bot_token": BOT_TOKEN, "telegram_admin_chat_id": str(KEEPER)}
    async for clinic in opened_clinic(sandbox, dsn, folder, 0, **wishes):
        async with open_messenger(clinic.app, pace=hurried(clinic.app)) as messenger:
            yield Story(clinic, messenger, page)


async def _day_and_people(story: Story) -> None:
    clinic = story.clinic
    details = [{"client_id": clinic.client_id}]
    outcome = await process_day(clinic.app, details, DAY)
    run = Run(
        id="night", client_id=clinic.client_id, kind=RunKind.NIGHT, first=DAY.isoformat(),
        last=DAY.isoformat(), origin="schedule", state="completed",
        statistics={**statistics(outcome.syncs[clinic.client_id]), **_rows(outcome.rows)},
        started_at=EVENING - timedelta(minutes=42), finished_at=EVENING,
    )  # fmt: skip
    await clinic.app.runs.insert(run)
    report = await clinic.app.reports.content(clinic.client_id, TODAY)
    story.administrator = report.administrators[0].name
    roles = {OWNER: Role.OWNER, MANAGER: Role.MANAGER, ADMINISTRATOR: Role.ADMINISTRATOR}
    for person, role in roles.items():
        await _join(story, person, role)
    await asyncio.to_thread(clinic.sandbox.control.post, "/telegram/chats", chat_id=KEEPER)


async def _join(story: Story, person: int, role: Role) -> None:
    control, app = story.clinic.sandbox.control, story.clinic.app
    name = NAMES.get(person, story.administrator).partition(",")[0]
    await asyncio.to_thread(control.post, "/telegram/chats", chat_id=person, first_name=name)
    _, code = await app.invitations.create(
        story.clinic.client_id, role, by="cli",
        administrator=story.administrator if role is Role.ADMINISTRATOR else "",
    )  # fmt: skip
    await app.invitations.accept(code, person, name)


async def _night(story: Story) -> None:
    story.say(
        "## The night is over\n\nThe report of the night goes to `TELEGRAM_ADMIN_CHAT_ID`:\n"
        "what was done / what failed, clinic by clinic."
    )
    story.at(23, 45, days=0)
    await story.deliver(digests=False)
    await story.tell(KEEPER, 0)


async def _lost_patients(story: Story) -> None:
    story.say(
        "## Patients who are about to be lost\n\nBy day such an alert comes within minutes. These"
        " calls were analysed late in the evening, so the people's quiet hours end first."
    )
    story.at(8)
    await story.deliver(digests=False)
    alerts = await story.shown(OWNER)
    story.say(f"Alerts at 8:00: {len(alerts)}. The first of them:")
    await story.tell(OWNER, 0)
    first, its = alerts[0]["message_id"], (await story.shown(MANAGER))[0]["message_id"]
    story.at(8, 5)
    await story.tap(OWNER, "🙋 Беру", first)
    story.say("Both see at once whose patient it is:")
    await story.tell(MANAGER, 0)
    await story.tap(MANAGER, "✅ Записан", its)
    story.at(8, 12)
    await story.tap(OWNER, "📞 Перезвонили", first)
    await story.tap(OWNER, "✅ Записан", first)
    await story.tell(MANAGER, 0)


async def _digests(story: Story) -> None:
    story.say("## Nine o'clock\n\nThe owner's digest:")
    story.at(9)
    before = {one: len(await story.shown(one)) for one in (OWNER, MANAGER, ADMINISTRATOR)}
    await story.deliver()
    await story.tell(OWNER, before[OWNER])
    story.say("A button opens the call's card; the digest stays where it is.")
    message = (await story.shown(OWNER))[before[OWNER]]
    label = message["reply_markup"]["inline_keyboard"][0][0]["text"]
    await story.tap(OWNER, label, message["message_id"])
    await story.tell(OWNER, -1)
    await a_call(story)
    story.at(9)
    story.say("The manager sees the people instead of the minutes:")
    await story.tell(MANAGER, before[MANAGER])
    story.say("An administrator sees nobody but themselves:")
    await story.tell(ADMINISTRATOR, before[ADMINISTRATOR])


async def _trouble(story: Story) -> None:
    story.say("## Something breaks, and works again")
    client_id, stops = story.clinic.client_id, story.clinic.app.stops
    story.at(9, 40)
    await stops.stand_still("amocrm", client_id, _CRM_GONE)
    await story.deliver()
    await story.tell(OWNER, -1)
    story.at(10, 5)
    await stops.lift(scope("amocrm", client_id))
    await story.deliver()
    story.at(10, 10)
    await story.deliver()
    await story.tell(OWNER, -1)


async def _monday(story: Story) -> None:
    story.say("## Monday\n\nThe week comes with its chart, after the morning's digest.")
    story.at(9, days=4)
    await story.deliver()
    await story.tell(OWNER, -1, picture="week")


def _rows(rows: dict[str, int]) -> dict[str, int]:
    return {f"rows_{table}": count for table, count in rows.items()}
