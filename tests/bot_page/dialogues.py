"""What people ask the bot for: a call, a report, another clinic's day."""

import asyncio

from tests.bot_page.teller import ADMINISTRATOR, OWNER, Story
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import working

from medai.cli.demo.scenario import connect
from medai.members.models import Role

_TRANSCRIPT_LINES = 16
_OTHER = 1
"""The place of the other clinic in the sandbox."""


async def a_call(story: Story) -> None:
    """From the card, which the owner has open: transcript and scores."""
    story.at(9, 5)
    story.say("The transcript is a file; each score of the analysis stands beside its quote.")
    await story.tap(OWNER, "📄 Расшифровка")
    await story.answered(OWNER)
    document = (await story.shown(OWNER))[-1]["document"]
    lines = (await story.file(document["file_id"])).decode().splitlines()
    shown = "\n".join([*lines[:_TRANSCRIPT_LINES], "…"])
    story.say(f"The file begins so:\n\n```text\n{shown}\n```")
    await story.tap(OWNER, "📊 Оценка")
    await story.answered(OWNER)


async def an_administrator(story: Story) -> None:
    """The same day as one of its administrators sees it."""
    story.at(9, 10)
    story.say("## What an administrator sees\n\nThe day holds their own calls alone.")
    await story.write(ADMINISTRATOR, "📞 Получить сделки")
    await story.answered(ADMINISTRATOR)
    await story.tap(ADMINISTRATOR, "Вчера")
    await story.answered(ADMINISTRATOR)


async def a_report(story: Story) -> None:
    """Period, people, confirmation; a picture and files."""
    story.say("## A report")
    story.at(9, 20)
    await story.write(OWNER, "📊 Создать отчёт")
    await story.answered(OWNER)
    await story.tap(OWNER, "Неделя")
    await story.answered(OWNER)
    await story.tap(OWNER, await story.label(OWNER, "▫️"))
    await story.tap(OWNER, "Дальше ➡️")
    await story.answered(OWNER)
    await story.tap(OWNER, "✅ Создать")
    story.say("One message shows how far it is:")
    await story.begun(OWNER)
    story.say("Then come the picture and the files; the message tells the end.")
    await story.answered(OWNER, picture="report")


async def another_clinic(story: Story) -> None:
    """A clinic whose day nobody has read yet: from the CRM to the scores, with progress."""
    client_id = await _connected(story)
    story.at(9, 30, days=4)
    story.say(
        "## Another clinic, a day that was not read yet\n\n"
        "The owner has let herself be invited to a second clinic and looks at it now."
    )
    _, code = await story.clinic.app.invitations.create(client_id, Role.OWNER, by="cli")
    await story.write(OWNER, code, shown="(код приглашения)")
    await story.answered(OWNER)
    await story.write(OWNER, "/profile")
    await story.answered(OWNER)
    await story.write(OWNER, "/leads")
    async with working(story.clinic.app):
        await story.write(OWNER, f"{DAY:%d.%m.%Y}")
        await story.begun(OWNER)
        story.say("A few seconds later, in the same message:")
        await story.answered(OWNER)
        await story.tap(OWNER, await story.label(OWNER, "Обращение"))
        await story.tap(OWNER, (await _labels(story))[0])
        await story.answered(OWNER)
        await story.tap(OWNER, "📝 Расшифровать")
        await story.begun(OWNER)
        await story.answered(OWNER)
        await story.tap(OWNER, "📊 Оценка")
        await story.begun(OWNER)
        story.say("The scores take its place, with their quotes, as above.")


async def _labels(story: Story) -> list[str]:
    rows = (await story.shown(OWNER))[-1]["reply_markup"]["inline_keyboard"]
    return [str(one["text"]) for row in rows for one in row]


async def _connected(story: Story) -> str:
    control = story.clinic.sandbox.control
    details = (await asyncio.to_thread(control.clinics))[_OTHER]
    await asyncio.to_thread(
        control.post, f"/amocrm/{details['subdomain']}/options",
        requests_per_second=None, account_requests_per_second=None,
    )  # fmt: skip
    await connect(story.clinic.app, details)
    return str(details["client_id"])
