"""Buttons that several flows have."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from medai.bot.callbacks import Go, Place
from medai.bot.texts import common as texts

Row = list[InlineKeyboardButton]

EARLIER, LATER = "◀️", "▶️"


def button(text: str, data: CallbackData) -> InlineKeyboardButton:
    """A button that comes back to us."""
    return InlineKeyboardButton(text=text, callback_data=data.pack())


def link(text: str, url: str) -> Row:
    """A row with a link; none for an address Telegram would refuse: one without a dot."""
    if not url or "." not in (urlsplit(url).hostname or ""):
        return []
    return [InlineKeyboardButton(text=text, url=url)]


def board(*rows: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    """The rows that have buttons."""
    return InlineKeyboardMarkup(inline_keyboard=[list(row) for row in rows if row])


def paging(earlier: CallbackData | None, later: CallbackData | None) -> Row:
    """Arrows."""
    row = [button(EARLIER, earlier)] if earlier else []
    return [*row, *([button(LATER, later)] if later else [])]


def home() -> Row:
    """Back to the first screen."""
    return [button(texts.HOME, Go(to=Place.HOME))]


def stop() -> InlineKeyboardMarkup:
    """Below a message that shows progress."""
    return board([button(texts.STOP, Go(to=Place.STOP))])
