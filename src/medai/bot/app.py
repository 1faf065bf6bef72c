"""The bot put together: dispatcher, dialogues, access, errands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.enums import ParseMode
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import BotCommand, LinkPreviewOptions
from aiogram.utils.token import TokenValidationError

from medai.bootstrap import Application
from medai.bot.collections import BOT_COLLECTIONS
from medai.bot.errands.carriers import CARRIERS
from medai.bot.errands.ledger import ErrandLedger
from medai.bot.errands.runner import Errands
from medai.bot.handlers import card, home, last, leads, people, profile, report
from medai.bot.middlewares.access import Access
from medai.bot.middlewares.once import Once
from medai.bot.notices import handlers as notices
from medai.bot.pace import Pace
from medai.bot.session import HttpSession
from medai.bot.storage import LIFE, DocumentStorage
from medai.bot.texts.common import COMMANDS
from medai.errors import SettingsError
from medai.infra.http import open_client
from medai.integrations.recordings.options import proxy_address
from medai.settings import Settings

_log = structlog.get_logger(__name__)

UPDATES = ["message", "callback_query", "my_chat_member"]
"""Kinds of updates that we ask Telegram for."""
_UPDATES_KEPT = timedelta(days=2)
"""Twice as long as Telegram keeps an update (telegram.md 6)."""
_ERRANDS_KEPT = timedelta(days=1)
DRAIN_SECONDS = 20.0
"""How long handlers and errands may take to end when the process does."""


@dataclass(frozen=True, slots=True)
class Messenger:
    """A bot that is ready for updates, however they come."""

    application: Application
    bot: Bot
    dispatcher: Dispatcher
    errands: Errands
    ledger: ErrandLedger
    storage: DocumentStorage
    once: Once

    async def forget(self) -> None:
        """Delete what nobody will ask for again. Raises StoreError."""
        now = self.application.clock()
        await self.storage.forget(now - LIFE)
        await self.once.forget(now - _UPDATES_KEPT)
        await self.ledger.forget(now - _ERRANDS_KEPT)

    async def introduce(self) -> None:
        """Tell Telegram the commands it shows. Raises Telegram's errors."""
        commands = [BotCommand(command=name, description=text) for name, text in COMMANDS.items()]
        await self.bot.set_my_commands(commands)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Let handlers that run end, then errands; later ones are gone on with after a restart."""
        # aiogram waits for nobody (telegram.md 8); the set is private, so a test watches it.
        handlers = set(self.dispatcher._handle_update_tasks)
        if handlers:
            await asyncio.wait(handlers, timeout=seconds)
        await self.errands.close(seconds)


@asynccontextmanager
async def open_messenger(
    application: Application, *, per_chat_second: float = 1.0
) -> AsyncIterator[Messenger]:
    """The bot of BOT_TOKEN; nothing is asked of Telegram yet. Raises SettingsError, StoreError."""
    settings = application.settings
    await application.documents.prepare(BOT_COLLECTIONS)
    proxy = proxy_address(settings) if settings.telegram_use_proxy else None
    async with open_client(proxy=proxy.get_secret_value() if proxy else None) as http:
        bot = _bot(settings, HttpSession(settings.telegram_api_base_url, http))
        bot.session.middleware(Pace(application.members.blocked, per_chat_second=per_chat_second))
        yield assembled(application, bot)


def assembled(application: Application, bot: Bot) -> Messenger:
    """Dispatcher and errands around a bot."""
    documents, clock = application.documents, application.clock
    storage, once = DocumentStorage(documents, clock), Once(documents, clock)
    ledger = ErrandLedger(documents, clock)
    members, seats = application.members, application.seats
    errands = Errands(bot, ledger, members, seats, CARRIERS)
    dispatcher = Dispatcher(
        storage=storage,
        events_isolation=SimpleEventIsolation(),
        application=application,
        members=members,
        seats=seats,
        invitations=application.invitations,
        errands=errands,
    )
    # Behind aiogram's own: one update of a person at a time, in the order they came.
    dispatcher.update.outer_middleware(once)
    dispatcher.update.outer_middleware(Access(members, seats, application.invitations))
    dispatcher.errors()(last.failed)
    for part in (home, leads, card, report, profile, people, notices):
        dispatcher.include_router(part.router())
    for part in (leads, report, people):
        dispatcher.include_router(part.answers())
    dispatcher.include_router(last.router())
    return Messenger(application, bot, dispatcher, errands, ledger, storage, once)


def _bot(settings: Settings, session: HttpSession) -> Bot:
    plain = DefaultBotProperties(
        parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True)
    )
    try:
        return Bot(settings.bot_token.get_secret_value().strip(), session, plain)
    except TokenValidationError:
        raise SettingsError("BOT_TOKEN не похож на токен бота: возьмите его у @BotFather") from None
