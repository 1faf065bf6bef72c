"""Chats, their messages, files, and the log of everything the bot did."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

from medai.kit.clock import Clock

Message = dict[str, Any]
Deed = Literal["sent", "edited", "deleted", "answered", "action"]

BOT_USER: dict[str, Any] = {
    "id": 42,
    "is_bot": True,
    "first_name": "MedAI",
    "username": "medai_sandbox_bot",
}


@dataclass(slots=True)
class Chat:
    """One chat. `messages` by id, both sides; `blocked`: the person stopped the bot,
    `moved_to`: the group became a supergroup with this id."""

    id: int
    person: dict[str, Any]
    blocked: bool = False
    moved_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def api(self) -> dict[str, Any]:
        """The chat in API form. Negative ids are groups."""
        if self.id < 0:
            return {"id": self.id, "type": "group", "title": self.person["first_name"]}
        return {"id": self.id, "type": "private", "first_name": self.person["first_name"]}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on Telegram's side. `path` is what getFile tells."""

    id: str
    name: str
    content: bytes
    content_type: str

    @property
    def path(self) -> str:
        """The download path."""
        return f"documents/{self.id}"

    @property
    def api(self) -> dict[str, Any]:
        """The fields that every file object has."""
        ids = {"file_id": self.id, "file_unique_id": f"u{self.id}"}
        return {**ids, "file_size": len(self.content)}


class Chats:
    """All chats of the bot. Used from one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files = itertools.count(1)
        self._changed = asyncio.Event()
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, StoredFile] = {}
        self.callbacks: dict[str, dict[str, Any] | None] = {}
        self.log: list[dict[str, Any]] = []

    def open(self, chat_id: int, first_name: str, language: str | None = "ru") -> Chat:
        """The chat, made when the person writes for the first time."""
        if chat_id not in self.chats:
            person: dict[str, Any] = {"id": abs(chat_id), "is_bot": False, "first_name": first_name}
            if language:
                person["language_code"] = language
            self.chats[chat_id] = Chat(chat_id, person)
        return self.chats[chat_id]

    def store(self, chat: Chat, sender: dict[str, Any], content: dict[str, Any]) -> Message:
        """Append a message to the chat."""
        message_id = next(chat.numbers)
        date = int(self._clock().timestamp())
        ends = {"message_id": message_id, "date": date, "chat": chat.api, "from": sender}
        chat.messages[message_id] = {**ends, **content}
        return chat.messages[message_id]

    def keep_file(self, name: str, content: bytes, content_type: str) -> StoredFile:
        """Store a file under a new id."""
        file = StoredFile(f"file-{next(self._files)}", name, content, content_type)
        self.files[file.id] = file
        return file

    def record(self, deed: Deed, chat_id: int | None, **details: Any) -> None:
        """Log what the bot did and wake those who wait for it."""
        self.log.append({"number": len(self.log) + 1, "deed": deed, "chat_id": chat_id, **details})
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, after: int, count: int, seconds: float) -> list[dict[str, Any]]:
        """Log entries behind number `after`, at least `count` unless the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while len(self.log) < after + count and (left := deadline - loop.time()) > 0:
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                break
        return self.log[after:]
