"""Updates by webhook: the API's process hands them over (telegram.md 6)."""

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
from medai.bot.app import UPDATES, open_messenger
from medai.bot.running import Say, at_work, greeted, one_of_a_kind
from medai.errors import SettingsError
from medai.settings import Settings

_log = structlog.get_logger(__name__)

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_PATH = "/telegram/webhook"
_CONNECTIONS = 20


@asynccontextmanager
async def webhook_at_work(
    application: Application, say: Say
) -> AsyncIterator[Callable[[dict[str, Any]], Awaitable[None]]]:
    """Tell Telegram the address; yields what takes an update. Raises SettingsError,
    ProviderStoppedError for a refused token, StoreError."""
    url, secret = checked(application.settings)
    async with one_of_a_kind(application, say), open_messenger(application) as messenger:

        async def told(bot: Bot) -> None:
            await bot.set_webhook(
                url,
                secret_token=secret,
                allowed_updates=UPDATES,
                max_connections=_CONNECTIONS,
                drop_pending_updates=False,
            )

        await greeted(messenger, told)

        async def take(body: dict[str, Any]) -> None:
            try:
                update = Update.model_validate(body, context={"bot": messenger.bot})
            except ValidationError:
                _log.warning("telegram sent an update that cannot be read")
                return
            await messenger.dispatcher.feed_update(messenger.bot, update)

        async with at_work(messenger):
            yield take


def checked(settings: Settings) -> tuple[str, str]:
    """Address and secret. Raises SettingsError for what Telegram would refuse or ours miss."""
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
