"""Showing things: one screen is a text with its buttons, sent or put in place of an older one."""

from dataclasses import dataclass

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
)

from medai.bot.texts import common as texts

_log = structlog.get_logger(__name__)

LONGEST_TEXT = 4096
_ROOM = 4000
_UNCHANGED = "message is not modified"
_GONE = ("message to edit not found", "message can't be edited", "query is too old")

Buttons = InlineKeyboardMarkup | None


@dataclass(frozen=True, slots=True)
class Screen:
    """A text in Telegram's HTML and the buttons below it."""

    text: str
    buttons: Buttons = None


def main_keyboard() -> ReplyKeyboardMarkup:
    """The keyboard below every chat (contract 9)."""
    rows = [[texts.HOME], [texts.LEADS, texts.REPORT]]
    keys = [[KeyboardButton(text=label) for label in row] for row in rows]
    return ReplyKeyboardMarkup(keyboard=keys, resize_keyboard=True, is_persistent=True)


async def send(
    bot: Bot, chat_id: int, text: str, markup: Buttons | ReplyKeyboardMarkup = None
) -> Message:
    """A message."""
    return await bot.send_message(chat_id, text, reply_markup=markup, disable_notification=False)


async def show(event: Message | CallbackQuery, screen: Screen) -> Message | None:
    """Answer words with a message; a tap changes the message that was tapped."""
    if isinstance(event, Message):
        return await event.answer(screen.text, reply_markup=screen.buttons)
    await answer(event)
    if isinstance(event.message, Message) and event.message.text is not None:
        await edit(event.message, screen)
        return event.message
    return await _bot(event).send_message(
        event.from_user.id, screen.text, reply_markup=screen.buttons
    )


async def edit(message: Message, screen: Screen) -> None:
    """Put the screen in place of the message; sent anew where the message is gone."""
    try:
        await message.edit_text(screen.text, reply_markup=screen.buttons)
    except TelegramBadRequest as error:
        if _UNCHANGED in error.message:
            return
        if not any(words in error.message for words in _GONE):
            raise
        await message.answer(screen.text, reply_markup=screen.buttons)


async def answer(query: CallbackQuery, text: str | None = None) -> None:
    """End the button's waiting; one that waited too long needs no answer."""
    try:
        await query.answer(text)
    except TelegramBadRequest as error:
        if not any(words in error.message for words in _GONE):
            raise


def pages(lines: list[str]) -> list[str]:
    """The lines as few texts, each of them short enough for a message."""
    found: list[str] = []
    left = 0
    for line in lines:
        size = texts.units(line) + 1
        if found and size <= left:
            found[-1] += f"\n{line}"
        else:
            found.append(line)
            left = _ROOM
        left -= size
    return [page for page in found if page.strip()]


def _bot(event: CallbackQuery) -> Bot:
    if event.bot is None:
        raise ValueError("a query of the dispatcher has its bot")
    return event.bot
