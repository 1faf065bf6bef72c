"""Buttons of the report flow, with a small calendar of our own: ready ones need the operating
system's locales (telegram.md 10)."""

from calendar import Calendar
from collections.abc import Collection, Sequence
from datetime import date, timedelta

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from medai.bot.callbacks import (
    Agree,
    DatePick,
    Go,
    MonthAt,
    Period,
    Place,
    ReportFor,
    Who,
    day_text,
)
from medai.bot.keyboards.common import EARLIER, LATER, Row, board, button, home, link
from medai.bot.texts import common
from medai.bot.texts import reports as texts
from medai.processing.seats import ReportFile
from medai.reports.format_ru import WEEKDAY_NAMES

ALL, NEXT = -1, -2
"""Places of `Who` that are no administrator."""
MOST_PEOPLE = 40
"""A keyboard takes 100 buttons."""
_BLANK = "·"


def periods() -> InlineKeyboardMarkup:
    """The question of the period."""
    labels = {
        Period.WEEK: texts.WEEK,
        Period.MONTH: texts.MONTH,
        Period.QUARTER: texts.QUARTER,
        Period.OWN: texts.OWN,
    }
    buttons = [button(label, ReportFor(period=period)) for period, label in labels.items()]
    return board(buttons[:3], buttons[3:], home())


def calendar(month: date, *, last: date) -> InlineKeyboardMarkup:
    """A month's days up to `last`; other days are blank."""
    title = [_still(f"{texts.MONTHS[month.month - 1]} {month.year}")]
    names = [_still(name) for name in WEEKDAY_NAMES]
    weeks = [
        [_day(day, month, last) for day in week]
        for week in Calendar().monthdatescalendar(month.year, month.month)
    ]
    before = month - timedelta(days=1)
    after = (month + timedelta(days=31)).replace(day=1)
    arrows: Row = [button(EARLIER, MonthAt(month=before.strftime("%Y%m")))]
    if after <= last:
        arrows.append(button(LATER, MonthAt(month=after.strftime("%Y%m"))))
    return board(title, names, *weeks, arrows, home())


def people(names: Sequence[str], chosen: Collection[int]) -> InlineKeyboardMarkup:
    """The question of the administrators."""
    rows = [
        [button(f"{_mark(place in chosen)} {common.label(name)}", Who(place=place))]
        for place, name in enumerate(names)
    ]
    onward = [button(texts.NEXT, Who(place=NEXT))] if chosen else []
    return board([button(texts.ALL, Who(place=ALL))], *rows, onward, home())


def sure() -> InlineKeyboardMarkup:
    """The confirmation."""
    return board([button(texts.YES, Agree(yes=True)), button(texts.NO, Agree(yes=False))])


def links(files: Sequence[ReportFile]) -> InlineKeyboardMarkup:
    """The made files."""
    labels = (texts.OPEN_PDF, texts.OPEN_EXCEL, texts.OPEN_PEOPLE)
    rows = [link(label, file.url) for label, file in zip(labels, files, strict=False)]
    return board(*rows, [button(common.REPORT, Go(to=Place.REPORT))], home())


def _mark(is_chosen: bool) -> str:
    return texts.CHOSEN if is_chosen else texts.NOT_CHOSEN


def _day(day: date, month: date, last: date) -> InlineKeyboardButton:
    if day.month != month.month or day > last:
        return _still(_BLANK)
    return button(str(day.day), DatePick(day=day_text(day)))


def _still(text: str) -> InlineKeyboardButton:
    """A button that does nothing: a calendar has cells without a day."""
    return button(text, DatePick(day=""))
