"""The Telegram bot as a command, beside the service, or within the API (webhook).

aiogram is loaded where a bot runs, and nowhere else: it takes 130 MB and seconds.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import typer
from fastapi import APIRouter

from medai.api.routers.telegram import webhook_router
from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.cli.serving import watched

_log = structlog.get_logger(__name__)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bot")(bot)


def bot() -> None:
    """Только бот Telegram (BOT_TOKEN)."""
    with_application(_alone, serves=True)


async def _alone(application: Application) -> None:
    from medai.bot.running import run_bot

    await watched(application, lambda: run_bot(application, console.print))


async def bot_beside(application: Application) -> None:
    """The bot as a part of `medai run`: a refused token is told once and asked again later."""
    from medai.bot.running import run_bot

    await run_bot(application, _log.warning, patient=True)


def has_bot_beside(application: Application) -> bool:
    """Whether `medai run` needs a process for the bot: it has a token and no webhook."""
    settings = application.settings
    return bool(settings.bot_token.get_secret_value()) and not settings.telegram_webhook_url


@asynccontextmanager
async def webhook(application: Application) -> AsyncIterator[list[APIRouter]]:
    """The route that Telegram calls, if a webhook is set; the bot is at work meanwhile."""
    settings = application.settings
    if not settings.bot_token.get_secret_value() or not settings.telegram_webhook_url:
        yield []
        return
    from medai.bot.webhook import webhook_at_work

    async with webhook_at_work(application, _log.warning) as take:
        yield [webhook_router(settings.telegram_webhook_secret.get_secret_value(), take)]
