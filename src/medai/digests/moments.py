"""When a notice may go out, on the clinic's wall clock. Pure."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from medai.kit.days import DayRange, week_start
from medai.members.models import QuietHours

NIGHT_PATIENCE = timedelta(hours=2)
"""A digest waits so long for a night run that is late; then it says what is still under way."""
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def morning_of(now: datetime, hour: int, tz: ZoneInfo) -> date | None:
    """The local day whose digest is due, from its hour until midnight; None before the hour.

    Only today is ever due: after days of silence people get one digest, and none a day late.
    """
    local = now.astimezone(tz)
    return local.date() if now >= _moment(local.date(), hour, tz) else None


def waits_for_night(now: datetime, hour: int, tz: ZoneInfo, *, night_runs: bool) -> bool:
    """Whether the digest that is due still waits for the calls of the night."""
    return night_runs and now < _moment(now.astimezone(tz).date(), hour, tz) + NIGHT_PATIENCE


def told_day(morning: date) -> DayRange:
    """The business day that a morning's digest is about."""
    return DayRange(morning - _DAY, morning - _DAY)


def week_before(day: date) -> DayRange:
    """The seven days before a day: what its conversion is compared with."""
    return DayRange(day - _WEEK, day - _DAY)


def told_week(morning: date) -> DayRange | None:
    """The Monday-Sunday week that a Monday's digest is about; None on other days."""
    if morning != week_start(morning):
        return None
    return DayRange(morning - _WEEK, morning - _DAY)


def is_quiet(quiet: QuietHours, now: datetime, tz: ZoneInfo) -> bool:
    """Whether the person wants silence now. What comes waits until the hours end."""
    hour = now.astimezone(tz).hour
    if quiet.first_hour <= quiet.last_hour:
        return quiet.first_hour <= hour < quiet.last_hour
    return hour >= quiet.first_hour or hour < quiet.last_hour


def _moment(day: date, hour: int, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), tz)
