"""Dialogues that survive restarts: aiogram's storage over our document port.

One document per person and chat. A dialogue that nobody goes on with is forgotten.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from medai.bot.collections import BOT_DIALOGUES
from medai.infra.documents import Change, Document, Documents, Range
from medai.kit.clock import Clock

LIFE = timedelta(days=2)
"""Whoever answers a question after this is asked anew."""


class DocumentStorage(BaseStorage):
    """State and data of dialogues. Raises StoreError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Store the state; None ends the dialogue but keeps its data."""
        await self._set(key, {"state": state.state if isinstance(state, State) else state})

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, None without a living dialogue."""
        found: str | None = (await self._living(key)).get("state")
        return found

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Replace the data."""
        await self._set(key, {"data": dict(data)})

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """The data, empty without a living dialogue."""
        return dict((await self._living(key)).get("data") or {})

    async def forget(self, before: datetime) -> int:
        """Delete dialogues that were last touched before the moment; returns how many."""
        return await self._documents.delete(BOT_DIALOGUES, {"at": Range(below=before)})

    async def close(self) -> None:
        """Nothing: the store has an owner, and handlers may still need it (telegram.md 8)."""

    async def _set(self, key: StorageKey, fields: dict[str, Any]) -> None:
        doc_id, now = _id(key), self._clock()
        alive = {"at": Range(at_least=now - LIFE)}
        change = Change(set={**fields, "at": now})
        if await self._documents.update(BOT_DIALOGUES, doc_id, change, where=alive):
            return
        empty: Document = {"_id": doc_id, "state": None, "data": {}, "at": now}
        await self._documents.put_many(BOT_DIALOGUES, [{**empty, **fields}])

    async def _living(self, key: StorageKey) -> Document:
        found = await self._documents.get(BOT_DIALOGUES, _id(key))
        return found if found and found["at"] >= self._clock() - LIFE else {}


def _id(key: StorageKey) -> str:
    parts = (key.bot_id, key.chat_id, key.user_id, key.thread_id or 0, key.destiny)
    return ":".join(map(str, parts))
