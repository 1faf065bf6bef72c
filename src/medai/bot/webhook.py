"""Updates by webhook: the API's process hands them over (telegram.md 6)."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiogram import Bot
from aiogram.types import Update
from pydantic import ValidationError

from medai.bootstrap import Application
from medai.bot.app import UPDATES, Messenger, require_token
from medai.bot.running import Say, at_work, greeted, lead
from medai.errors import SettingsError
from medai.infra.postgres import HeldLock
from medai.settings import Settings

_log = structlog.get_logger(__name__)

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_PATH = "/telegram/webhook"
_CONNECTIONS = 20


@asynccontextmanager
async def webhook_at_work(
    application: Application, say: Say
) -> AsyncIterator[Callable[[dict[str, Any]], Awaitable[bool]]]:
    """Yields at once what takes an update; False until the bot is at work here.

    The API waits for nobody: not for Telegram, not for another process that holds the token.
    Telegram repeats what was not taken. Raises SettingsError.
    """
    url, secret = checked(application.settings)
    at_desk: list[Messenger] = []

    async def told(bot: Bot) -> None:
        await bot.set_webhook(
            url,
            secret_token=secret,
            allowed_updates=UPDATES,
            max_connections=_CONNECTIONS,
            drop_pending_updates=False,
        )

    async def answer(messenger: Messenger, lock: HeldLock) -> None:
        await greeted(messenger, told, patient=True)
        async with at_work(messenger):
            at_desk.append(messenger)
            try:
                await lock.lost()
            finally:
                at_desk.clear()
            await messenger.errands.close(0)  # whoever holds the token now goes on with them

    async def take(body: dict[str, Any]) -> bool:
        if not at_desk:
            return False
        await _taken(at_desk[0], body)
        return True

    leading = asyncio.create_task(lead(application, say, answer, patient=True))
    leading.add_done_callback(_noted)
    try:
        yield take
    finally:
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)


async def _taken(messenger: Messenger, body: dict[str, Any]) -> None:
    try:
        update = Update.model_validate(body, context={"bot": messenger.bot})
    except ValidationError:
        _log.warning("telegram sent an update that cannot be read")
        return
    await messenger.dispatcher.feed_update(messenger.bot, update)


def _noted(leading: asyncio.Task[None]) -> None:
    """The API goes on without its bot; the log tells why there is none."""
    if not leading.cancelled() and (error := leading.exception()):
        _log.error("the bot ended", error=type(error).__name__, exc_info=error)


def checked(settings: Settings) -> tuple[str, str]:
    """Address and secret. Raises SettingsError for what Telegram would refuse or ours miss."""
    require_token(settings)
    url = settings.telegram_webhook_url
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.path.endswith(_PATH):
        raise SettingsError(
            f"TELEGRAM_WEBHOOK_URL: укажите адрес API с https://, который кончается на {_PATH}"
        )
    secret = settings.telegram_webhook_secret.get_secret_value()
    if not _SECRET.fullmatch(secret):
        raise SettingsError("TELEGRAM_WEBHOOK_SECRET: от 16 до 256 знаков A-Z a-z 0-9 _ -")
    return url, secret
