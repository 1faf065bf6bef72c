"""A morning of the bot, lived through in the sandbox and written down as docs/bot.md."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fixtures.application import process_day
from tests.fixtures.clinic_at_work import EVENING, TODAY, ClinicAtWork, opened_clinic
from tests.fixtures.sandbox import DAY, RunningSandbox
from tests.fixtures.telegram_pace import hurried

from medai.bot.app import Messenger, open_messenger
from medai.bot.notices.delivery import Delivery
from medai.errors import ProviderStoppedError
from medai.members.models import Role
from medai.processing.runs import Run, RunKind
from medai.processing.stops import scope
from medai.processing.syncs import statistics
from medai.sandbox.credentials import BOT_TOKEN

MOSCOW = timedelta(hours=3)
OWNER, MANAGER, ADMINISTRATOR, KEEPER = 1, 2, 3, 9
_NAMES = {OWNER: "Ольга, владелец", MANAGER: "Борис, руководитель", KEEPER: "Чат поддержки"}
_CRM_GONE = ProviderStoppedError(
    "amocrm", "amoCRM отключила интеграцию клиники: подключите её заново"
)
HEAD = """# A morning with the bot

Made by `make bot-page`: a day of the sandbox's first clinic goes through the whole service, then
the real bot writes to the sandbox's Telegram. A test compares this page with what the bot says.
Every time is the clinic's. Buttons stand in square brackets below their message; a line that
begins with → is a tap.
"""


@dataclass(slots=True)
class Page:
    """The page so far: markdown and pictures by file name."""

    parts: list[str] = field(default_factory=lambda: [HEAD])
    pictures: dict[str, bytes] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole page."""
        return "\n".join(self.parts).rstrip() + "\n"


@dataclass(slots=True)
class Story:
    """The clinic, its bot and the page that is being written."""

    clinic: ClinicAtWork
    messenger: Messenger
    page: Page
    administrator: str = ""

    def say(self, text: str) -> None:
        """A paragraph of the teller's."""
        self.page.parts.append(f"{text}\n")

    def at(self, hour: int, minute: int = 0, *, days: int = 1) -> None:
        """Move the clock to the clinic's hour, so many days after the day of the calls."""
        midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - MOSCOW
        self.clinic.clock.now = midnight + timedelta(days=days, hours=hour, minutes=minute)

    async def deliver(self, *, digests: bool = True) -> None:
        """What the bot's loops do in a minute."""
        app = self.clinic.app
        delivery = Delivery(self.messenger.bot, app.digests, app.clock)
        await delivery.alerts()
        await delivery.troubles()
        await delivery.nights()
        if digests:
            await delivery.mornings()

    async def shown(self, person: int) -> list[dict[str, Any]]:
        """What the bot's side of a chat looks like."""
        found = await asyncio.to_thread(
            self.clinic.sandbox.control.get, "/telegram/messages", chat_id=person
        )
        return [one for one in found if one["from"]["is_bot"]]

    async def tell(self, person: int, number: int, picture: str = "") -> None:
        """Write down a message of the chat."""
        message = (await self.shown(person))[number]
        local = self.clinic.clock() + MOSCOW
        name = _NAMES.get(person) or f"{self.administrator}, администратор"
        self.page.parts.append(f"**{name}**, {local:%d.%m %H:%M}\n")
        if picture:
            self.page.parts.append(f"![{picture}](bot/{picture}.png)\n")
            self.page.pictures[f"{picture}.png"] = await self._file(message["photo"][0]["file_id"])
        text = str(message.get("text") or message.get("caption")).replace("\N{NO-BREAK SPACE}", " ")
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        buttons = [" ".join(f"[{one['text']}]" for one in row) for row in rows]
        block = "\n".join([text, *([""] if buttons else []), *buttons])
        self.page.parts.append(f"```text\n{block}\n```\n")

    async def tap(self, person: int, label: str, message_id: int | None = None) -> None:
        """A tap, with the words that appear above the chat."""
        control, bot = self.clinic.sandbox.control, self.messenger.bot
        order = {"chat_id": person, "label": label, "message_id": message_id}
        tapped = await asyncio.to_thread(control.post, "/telegram/tap", **order)
        updates = await bot.get_updates(timeout=0)
        await bot.get_updates(offset=updates[-1].update_id + 1, timeout=0)
        for update in updates:
            await self.messenger.dispatcher.feed_update(bot, update)
        state = await asyncio.to_thread(control.get, "/telegram/state")
        answer = (state["callbacks"][tapped["callback_query_id"]] or {}).get("text") or ""
        told = f": «{answer}»" if answer else ""
        name = _NAMES.get(person) or self.administrator
        self.page.parts.append(f"→ {name} — [{label}]{told}\n")

    async def _file(self, file_id: str) -> bytes:
        client = self.clinic.sandbox.control._http
        answer = await asyncio.to_thread(client.get, f"/telegram/files/{file_id}")
        return bytes(answer.content)


async def told(sandbox: RunningSandbox, dsn: str, folder: Path) -> Page:
    """Live through the morning; returns the page."""
    page = Page()
    async with _opened(sandbox, dsn, folder, page) as story:
        await _day_and_people(story)
        await _night(story)
        await _lost_patients(story)
        await _digests(story)
        await _trouble(story)
        await _monday(story)
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
    name = _NAMES.get(person, story.administrator).partition(",")[0]
    await asyncio.to_thread(control.post, "/telegram/chats", chat_id=person, first_name=name)
    _, code = await app.invitations.create(
        story.clinic.client_id, role, by="cli",
        administrator=story.administrator if role is Role.ADMINISTRATOR else "",
    )  # fmt: skip
    await app.invitations.accept(code, person, name)


async def _night(story: Story) -> None:
    story.say("## The night is over\n\nThe report of the night goes to `TELEGRAM_ADMIN_CHAT_ID`.")
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
