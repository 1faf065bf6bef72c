"""Telegram may deliver an update twice (telegram.md 1.2): the second time nothing happens."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.types import TelegramObject, Update

from medai.bot.collections import BOT_UPDATES
from medai.infra.documents import Documents, Range
from medai.kit.clock import Clock

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Once(BaseMiddleware):
    """Lets each update through once, in whichever process. Raises StoreError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Handle the update unless it was begun before."""
        if isinstance(event, Update):
            bot: Bot = data["bot"]
            entry = {"_id": f"{bot.id}:{event.update_id}", "at": self._clock()}
            if not await self._documents.insert(BOT_UPDATES, entry):
                return None
        return await handler(event, data)

    async def forget(self, before: datetime) -> int:
        """Delete ids that were noted before the moment; returns how many."""
        return await self._documents.delete(BOT_UPDATES, {"at": Range(below=before)})
