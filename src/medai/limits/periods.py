"""Months and ISO weeks of a clinic's zone: their names, and when they begin. Pure."""

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from medai.kit.days import business_day, day_window, week_start

Kind = Literal["month", "week"]
KINDS: tuple[Kind, ...] = ("month", "week")

CLOCK_TOLERANCE = timedelta(days=1)
"""How far behind the others a worker's clock may be, or a clinic's zone be moved west."""


def month_key(day: date) -> str:
    """The month of a day: "2026-11"."""
    return f"{day:%Y-%m}"


def week_key(day: date) -> str:
    """The ISO week of a day: "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def key_of(kind: Kind, day: date) -> str:
    """The name of the month or week that holds a day."""
    return month_key(day) if kind == "month" else week_key(day)


def present_key(kind: Kind, stored: str, now: datetime, tz: ZoneInfo) -> str:
    """The period that counts at a moment, knowing which one is stored.

    A period that has begun for one worker has begun for all: a clock that lags behind, or a
    clinic that moves west, must not bring the last one back and wipe what was used since.
    """
    soon = key_of(kind, business_day(now + CLOCK_TOLERANCE, tz))
    return stored if stored == soon else key_of(kind, business_day(now, tz))


def first_day(kind: Kind, key: str) -> date:
    """The first day of a named period."""
    if kind == "month":
        return date.fromisoformat(f"{key}-01")
    return date.fromisocalendar(int(key[:4]), int(key[-2:]), 1)


def next_first_day(kind: Kind, key: str) -> date:
    """The first day of the period that follows."""
    first = first_day(kind, key)
    if kind == "week":
        return week_start(first) + timedelta(days=7)
    return (first + timedelta(days=32)).replace(day=1)


def start_of(kind: Kind, key: str, tz: ZoneInfo) -> datetime:
    """The moment a named period begins on the clinic's clock, in UTC."""
    return day_window(first_day(kind, key), tz).start


def end_of(kind: Kind, key: str, tz: ZoneInfo) -> datetime:
    """The moment a named period ends and its minutes come back, in UTC."""
    return day_window(next_first_day(kind, key), tz).start
