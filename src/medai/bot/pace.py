"""As fast as Telegram allows, and no faster (telegram.md 7); what it refuses, in our terms."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import (
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)
from aiogram.methods import GetUpdates, Response, TelegramMethod
from aiogram.methods.base import TelegramType

_log = structlog.get_logger(__name__)

_PER_SECOND, _AT_ONCE = 25.0, 25
_PER_CHAT_SECOND, _AT_ONCE_IN_CHAT = 1.0, 3
_CHATS = 1_000
"""Chats remembered; whoever was quiet longest is forgotten and may begin anew."""
_ATTEMPTS = 5
_LONGEST_WAIT_SECONDS = 120.0
_QUIET = ("answerCallbackQuery", "sendChatAction")
"""What people do not see as a message: it takes part in the overall pace only."""

Blocked = Callable[[int], Awaitable[None]]
"""Told the chat whose person blocked the bot."""


@dataclass(slots=True)
class Bucket:
    """So many at once, then so many a second. Times are monotonic seconds."""

    per_second: float
    most: float
    left: float
    at: float

    @classmethod
    def full(cls, per_second: float, most: float, now: float) -> "Bucket":
        """One that nobody has taken from."""
        return cls(per_second, most, most, now)

    def wait(self, now: float) -> float:
        """Take one; returns the seconds to wait before it may be used."""
        self.left = min(self.most, self.left + (now - self.at) * self.per_second) - 1
        self.at = now
        return max(0.0, -self.left / self.per_second)


class Pace(BaseRequestMiddleware):
    """Waits for a turn, and as long as a 429 names; never repeats what may have been delivered."""

    def __init__(
        self,
        on_blocked: Blocked,
        *,
        per_second: float = _PER_SECOND,
        per_chat_second: float = _PER_CHAT_SECOND,
        at_once_in_chat: int = _AT_ONCE_IN_CHAT,
    ) -> None:
        self._on_blocked = on_blocked
        self._chat_pace = (per_chat_second, float(at_once_in_chat))
        self._all = Bucket.full(per_second, _AT_ONCE, monotonic())
        self._chats: OrderedDict[str, Bucket] = OrderedDict()
        self._moved: dict[int | str | None, int] = {}

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Carry the request out in its turn. Raises the errors of `aiogram.exceptions`."""
        if method.__api_method__ == GetUpdates.__api_method__:
            return await make_request(bot, method)
        if (moved_to := self._moved.get(_chat(method))) is not None:
            method = method.model_copy(update={"chat_id": moved_to})
        for left in reversed(range(_ATTEMPTS)):
            await self._turn(method)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                if not left or error.retry_after > _LONGEST_WAIT_SECONDS:
                    raise
                _log.info("telegram asks to wait", seconds=error.retry_after)
                await asyncio.sleep(error.retry_after)
            except TelegramMigrateToChat as error:
                if not left:
                    raise
                method = self._moved_along(method, error.migrate_to_chat_id)
            except TelegramForbiddenError:
                if isinstance(chat := _chat(method), int):
                    await self._on_blocked(chat)
                raise
        raise AssertionError("the last attempt returns or raises")

    def _moved_along(
        self, method: TelegramMethod[TelegramType], moved_to: int
    ) -> TelegramMethod[TelegramType]:
        """The method for the supergroup that a group became; later ones go there at once."""
        self._moved[_chat(method)] = moved_to
        _log.warning("a group has another id now: correct TELEGRAM_ADMIN_CHAT_ID", chat_id=moved_to)
        return method.model_copy(update={"chat_id": moved_to})

    async def _turn(self, method: TelegramMethod[Any]) -> None:
        now = monotonic()
        wait = self._all.wait(now)
        chat = _chat(method)
        if chat is not None and method.__api_method__ not in _QUIET:
            wait = max(wait, self._of(str(chat), now).wait(now))
        if wait:
            await asyncio.sleep(wait)

    def _of(self, chat: str, now: float) -> Bucket:
        bucket = self._chats.get(chat)
        if bucket is None:
            bucket = self._chats[chat] = Bucket.full(*self._chat_pace, now)
        self._chats.move_to_end(chat)
        if len(self._chats) > _CHATS:
            self._chats.popitem(last=False)
        return bucket


def _chat(method: TelegramMethod[Any]) -> int | str | None:
    found: int | str | None = getattr(method, "chat_id", None)
    return found
