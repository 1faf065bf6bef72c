"""Business days: calendar days of a clinic's own time zone, as half-open UTC windows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from medai.errors import InvalidInputError

MAX_RANGE_DAYS = 370
"""A year and a few days: longer ranges are typing mistakes and would flood the CRM."""

_YEARS = range(2000, 2101)
"""Other years are typing mistakes too; at the very ends a day has no UTC window."""

_DAYS_KEPT = 1_024
"""A year of metrics names each of its days a thousand times."""

_DATE_FORMS = (
    re.compile(r"^(?P<d>\d{2})[.-](?P<m>\d{2})[.-](?P<y>\d{4})$"),
    re.compile(r"^(?P<y>\d{4})[.-](?P<m>\d{2})[.-](?P<d>\d{2})$"),
)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Whole days from `first` to `last`, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)


@dataclass(frozen=True, slots=True)
class Window:
    """Moments `start <= t < end`, aware, in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def parse_day(text: str) -> date:
    """A date in any form old clients send: DD.MM.YYYY, DD-MM-YYYY, YYYY-MM-DD, YYYY.MM.DD.

    Raises InvalidInputError (contract 0: both main forms are accepted almost everywhere).
    """
    for form in _DATE_FORMS:
        found = form.match(text.strip())
        if found:
            try:
                day = date(int(found["y"]), int(found["m"]), int(found["d"]))
            except ValueError:
                break
            if day.year in _YEARS:
                return day
    shown = " ".join(text.split())[:20]
    raise InvalidInputError(f"Неверная дата «{shown}»: укажите ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")


def parse_range(first: str, last: str) -> DayRange:
    """Two dates as a range of days. Raises InvalidInputError when reversed or too long."""
    days = DayRange(parse_day(first), parse_day(last))
    if days.last < days.first:
        raise InvalidInputError("Дата начала позже даты окончания: поменяйте их местами")
    if (days.last - days.first).days >= MAX_RANGE_DAYS:
        raise InvalidInputError(f"Период длиннее {MAX_RANGE_DAYS} дней: разбейте его на части")
    return days


def zone(name: str) -> ZoneInfo:
    """The named IANA zone. Raises InvalidInputError for an unknown name."""
    try:
        return ZoneInfo(name)
    # Names of folders and endless ones fail as files do.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"Неизвестный часовой пояс «{name[:40]}»: укажите, например, Europe/Moscow"
        ) from error


def business_day(moment: datetime, tz: ZoneInfo) -> date:
    """The calendar day of `moment` on the clinic's wall clock."""
    return moment.astimezone(tz).date()


def day_window(day: date, tz: ZoneInfo) -> Window:
    """The UTC window of one business day: 23, 24 or 25 hours long where clocks change."""
    return range_window(DayRange(day, day), tz)


def range_window(days: DayRange, tz: ZoneInfo) -> Window:
    """The UTC window of whole business days."""
    return Window(_midnight(days.first, tz), _midnight(days.last + timedelta(days=1), tz))


@lru_cache(_DAYS_KEPT)
def week_start(day: date) -> date:
    """Monday of the day's ISO week (contract 3: week_start_date)."""
    return day - timedelta(days=day.weekday())


def _midnight(day: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tz).astimezone(UTC)
