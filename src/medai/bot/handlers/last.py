"""What no other handler knows: buttons of old messages, words that fit nowhere, failures."""

import structlog
from aiogram import Router
from aiogram.exceptions import AiogramError, TelegramForbiddenError
from aiogram.types import CallbackQuery, ErrorEvent, Message, Update

from medai.bot import screens
from medai.bot.texts import common as texts
from medai.errors import MedaiError
from medai.processing.seats import Seat

_log = structlog.get_logger(__name__)


def router() -> Router:
    """Comes last."""
    made = Router(name="last")
    made.callback_query()(stale)
    made.message()(unknown)
    return made


async def stale(query: CallbackQuery) -> None:
    """A button of the replaced bot, of another version of ours, or made up by somebody."""
    await screens.answer(query, texts.STALE_BUTTON)
    if query.bot is not None:
        await screens.send(query.bot, query.from_user.id, texts.stale(), screens.main_keyboard())


async def unknown(message: Message) -> None:
    """Say what can be done instead."""
    await message.answer(texts.not_understood(), reply_markup=screens.main_keyboard())


async def failed(event: ErrorEvent, seat: Seat | None = None) -> bool:
    """One line for the person; whatever is not theirs to know goes into the log."""
    error = event.exception
    if isinstance(error, TelegramForbiddenError):
        return True  # they have blocked the bot: nobody reads an answer
    words = texts.refusal(error.message) if isinstance(error, MedaiError) else texts.trouble()
    if isinstance(error, AiogramError):
        # Without its words: they may quote what Telegram could not take.
        _log.warning("handler failed", error=type(error).__name__)
    elif not isinstance(error, MedaiError):
        _log.error("handler failed", error=type(error).__name__, exc_info=error)
    elif error.code == "store_unavailable":
        _log.error("handler failed", code=error.code)
    if seat is not None:
        await _tell(event.update, words)
    return True


async def _tell(update: Update, words: str) -> None:
    try:
        if update.callback_query is not None and update.callback_query.bot is not None:
            query = update.callback_query
            await screens.answer(query)
            await screens.send(update.callback_query.bot, query.from_user.id, words)
        elif update.message is not None:
            await update.message.answer(words)
    except AiogramError as error:
        _log.warning("a failure was not told", error=type(error).__name__)
