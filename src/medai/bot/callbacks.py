"""What buttons carry: short, at most 64 bytes (telegram.md 3), and never believed.

Days are YYYYMMDD, months YYYYMM, calls their 24 digits. A button says what a person wants; whether
they may have it is decided by their seat.
"""

from datetime import date
from enum import StrEnum

from aiogram.filters.callback_data import CallbackData

from medai.errors import InvalidInputError
from medai.kit.days import parse_day


class Place(StrEnum):
    """Screens without an argument."""

    HOME = "home"
    DAYS = "days"
    DATE = "date"
    REPORT = "rep"
    PROFILE = "prof"
    PEOPLE = "ppl"
    INVITE = "inv"
    STOP = "stop"


class Go(CallbackData, prefix="g"):
    """To a screen."""

    to: Place


class DayAt(CallbackData, prefix="d"):
    """Leads of a day."""

    day: str
    page: int = 0


class DayAgain(CallbackData, prefix="da"):
    """The day, read from the CRM again."""

    day: str


class LeadAt(CallbackData, prefix="l"):
    """Calls of the lead that this call belongs to."""

    call: str
    page: int = 0


class Act(StrEnum):
    """What can be done with a call."""

    SHOW = "s"
    TRANSCRIBE = "t"
    TEXT = "x"
    ANALYSE = "a"
    RECORDING = "r"


class CallAt(CallbackData, prefix="c"):
    """A call."""

    call: str
    act: Act = Act.SHOW


class Period(StrEnum):
    """Periods of a report."""

    WEEK = "w"
    MONTH = "m"
    QUARTER = "q"
    OWN = "o"


class ReportFor(CallbackData, prefix="r"):
    """A report of a period that ends today."""

    period: Period


class MonthAt(CallbackData, prefix="m"):
    """The calendar's month."""

    month: str


class DatePick(CallbackData, prefix="dp"):
    """A day of the calendar."""

    day: str


class Who(CallbackData, prefix="w"):
    """An administrator of a report by the place in the list that was shown; -1: all of them."""

    place: int


class Agree(CallbackData, prefix="y"):
    """The answer to a confirmation."""

    yes: bool


class Switch(CallbackData, prefix="n"):
    """A notice on or off."""

    notice: str
    on: bool


class Quiet(CallbackData, prefix="q"):
    """Quiet hours; equal ones are none."""

    first: int
    last: int


class LookAt(CallbackData, prefix="k"):
    """A clinic of the person, by a digest of its id."""

    clinic: str


class InviteAs(CallbackData, prefix="i"):
    """A role to invite somebody with."""

    role: str


class InviteWho(CallbackData, prefix="iw"):
    """The administrator of an invitation by the place in the list that was shown."""

    place: int


class TakeOut(CallbackData, prefix="o"):
    """A member, or an open invitation, to be revoked; `sure` after the question. `clinic` as of
    `LookAt`: whoever works in two clinics is taken out of the one that was shown."""

    what: str
    clinic: str
    sure: bool = False


def day_text(day: date) -> str:
    """YYYYMMDD."""
    return day.strftime("%Y%m%d")


def day_of(text: str) -> date:
    """The day of a button. Raises InvalidInputError."""
    if len(text) != len("20261119") or not (text.isascii() and text.isdigit()):
        raise InvalidInputError("Эта кнопка устарела: начните с главной")
    return parse_day(f"{text[:4]}-{text[4:6]}-{text[6:]}")


def month_of(text: str) -> date:
    """The first day of a button's month. Raises InvalidInputError."""
    return day_of(f"{text}01")
