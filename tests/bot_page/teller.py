"""How a chat becomes a page: what the bot shows, what people tap and write."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.sandbox import DAY

from medai.bot.app import Messenger
from medai.bot.notices.delivery import Delivery

MOSCOW = timedelta(hours=3)
OWNER, MANAGER, ADMINISTRATOR, KEEPER = 1, 2, 3, 9
NAMES = {OWNER: "Ольга, владелец", MANAGER: "Борис, руководитель", KEEPER: "Чат поддержки"}
_PATIENCE_SECONDS = 60.0
Json = dict[str, Any]
HEAD = """# A morning with the bot

Made by `make bot-page`: a day of the sandbox's first clinic goes through the whole service, then
the real bot writes to the sandbox's Telegram. A test compares this page with what the bot says.
Every time is the clinic's. Buttons stand in square brackets below their message; a line that
begins with → is a tap or a person's own words. Of a message that was changed the last state is
shown.
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
    read: set[tuple[int, int]] = field(default_factory=set)
    """Messages of chats that stand on the page."""
    seen: int = 0
    """Deeds of the bot that were there before the last tap or words."""

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
        await self._write_down(person, (await self.shown(person))[number], picture)

    async def tap(self, person: int, label: str, message_id: int | None = None) -> None:
        """A tap, with the words that appear above the chat."""
        order = {"chat_id": person, "label": label, "message_id": message_id}
        tapped = await self._post("/telegram/tap", **order)
        await self._handle()
        state = await asyncio.to_thread(self.clinic.sandbox.control.get, "/telegram/state")
        answer = (state["callbacks"][tapped["callback_query_id"]] or {}).get("text") or ""
        told = f": «{answer}»" if answer else ""
        self.page.parts.append(f"→ {self.name(person)} — [{label}]{told}\n")

    async def write(self, person: int, words: str, shown: str = "") -> None:
        """The person's own words, or what the page shows of them."""
        await self._post("/telegram/messages", chat_id=person, text=words)
        await self._handle()
        self.page.parts.append(f"→ {self.name(person)}: {shown or words}\n")

    async def answered(self, person: int, picture: str = "") -> None:
        """Write down what the last tap or words changed; a picture gets the name."""
        for message in self._changed(person, await self._deeds()):
            if (person, message["message_id"]) in self.read and "reply_markup" not in message:
                continue  # it has lost its buttons
            await self._write_down(person, message, picture if "photo" in message else "")

    async def begun(self, person: int) -> None:
        """The first state of the message that shows work under way."""
        for deed in await self._deeds():
            if deed["deed"] == "sent" and deed["chat_id"] == person:
                await self._write_down(person, deed["message"])
                return
        raise AssertionError("nothing was begun")

    def name(self, person: int) -> str:
        """How the page calls the person."""
        return NAMES.get(person) or f"{self.administrator}, администратор"

    async def label(self, person: int, beginning: str, number: int = -1) -> str:
        """The whole label of a button of that message of the chat."""
        rows = (await self.shown(person))[number]["reply_markup"]["inline_keyboard"]
        return next(
            str(one["text"]) for row in rows for one in row if one["text"].startswith(beginning)
        )

    async def _post(self, path: str, **body: Any) -> Any:
        return await asyncio.to_thread(self.clinic.sandbox.control.post, path, **body)

    async def _deeds(self) -> list[Json]:
        """What the bot did since the last tap or words."""
        log = await asyncio.to_thread(self.clinic.sandbox.control.get, "/telegram/log")
        return [one for one in log if one["number"] > self.seen]

    async def _handle(self) -> None:
        """Give the updates to the bot and wait for what they begin."""
        bot = self.messenger.bot
        self.seen += len(await self._deeds())
        updates = await bot.get_updates(timeout=0)
        await bot.get_updates(offset=updates[-1].update_id + 1, timeout=0)
        for update in updates:
            await self.messenger.dispatcher.feed_update(bot, update)
        await self.messenger.errands.close(_PATIENCE_SECONDS)

    def _changed(self, person: int, deeds: list[Json]) -> list[Json]:
        """Messages by their last state, in the order in which they reached it."""
        last: dict[int, Json] = {}
        for deed in deeds:
            if deed["deed"] in ("sent", "edited") and deed["chat_id"] == person:
                last.pop(deed["message"]["message_id"], None)
                last[deed["message"]["message_id"]] = deed["message"]
        return list(last.values())

    async def _write_down(self, person: int, message: Json, picture: str = "") -> None:
        self.read.add((person, message["message_id"]))
        local = self.clinic.clock() + MOSCOW
        self.page.parts.append(f"**{self.name(person)}**, {local:%d.%m %H:%M}\n")
        if picture:
            self.page.parts.append(f"![{picture}](bot/{picture}.png)\n")
            self.page.pictures[f"{picture}.png"] = await self.file(message["photo"][0]["file_id"])
        text = str(message.get("text") or message.get("caption")).replace("\N{NO-BREAK SPACE}", " ")
        files = [f"📎 {message['document']['file_name']}"] if "document" in message else []
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        buttons = [" ".join(f"[{one['text']}]" for one in row) for row in rows]
        block = "\n".join([*files, text, *([""] if buttons else []), *buttons])
        self.page.parts.append(f"```text\n{block}\n```\n")

    async def file(self, file_id: str) -> bytes:
        client = self.clinic.sandbox.control._http
        answer = await asyncio.to_thread(client.get, f"/telegram/files/{file_id}")
        return bytes(answer.content)
