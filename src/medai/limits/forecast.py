"""When the minutes run out at the present pace. Pure.

The pace of a weekday is the mean of the last four of its kind, so a clinic that rests on Sundays
is not foretold to run dry on one. Where that weekday was not seen yet the mean of all days seen
stands in; on the first days it is what the month has used by now. What calls under way hold counts
as used. More use never moves the end to a later moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from medai.clinics.models import MinuteLimits
from medai.kit.days import business_day, day_window
from medai.limits import quota
from medai.limits.periods import Kind, end_of, first_day

_WEEKDAYS = 7
_WEEKS_SEEN = 4


@dataclass(frozen=True, slots=True)
class Forecast:
    """Moments (UTC) at which month and week run out; None: enough until their end."""

    month: datetime | None
    week: datetime | None

    def of(self, kind: Kind) -> datetime | None:
        """The moment of one of the two."""
        return self.month if kind == "month" else self.week


def forecast(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> Forecast:
    """When month and week run out if days go on like those before."""
    current = quota.at(limits, now, tz)
    pace = pace_of(current, now, tz)
    return Forecast(
        month=_runs_out(current, "month", pace, now, tz),
        week=_runs_out(current, "week", pace, now, tz),
    )


def pace_of(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> tuple[float, ...]:
    """Expected seconds per day, Monday first. Whole days before today only: today is not over."""
    today = business_day(now, tz)
    seen = _days_seen(limits.days, today)
    if not seen:
        started = first_day("month", limits.month or f"{today:%Y-%m}")
        mean = limits.month_used_seconds / max(1, (today - started).days + 1)
        return (mean,) * _WEEKDAYS
    mean = sum(seen.values()) / len(seen)
    return tuple(_weekday_mean(seen, weekday, mean) for weekday in range(_WEEKDAYS))


def _days_seen(days: Mapping[str, int], today: date) -> dict[date, int]:
    """Seconds of each day from the first one known (four weeks back at most) to yesterday."""
    if not days:
        return {}
    since = max(date.fromisoformat(min(days)), today - timedelta(days=_WEEKDAYS * _WEEKS_SEEN))
    span = (since + timedelta(days=offset) for offset in range((today - since).days))
    return {day: days.get(day.isoformat(), 0) for day in span}


def _weekday_mean(seen: Mapping[date, int], weekday: int, otherwise: float) -> float:
    found = [seconds for day, seconds in seen.items() if day.weekday() == weekday]
    return sum(found) / len(found) if found else otherwise


def _runs_out(
    limits: MinuteLimits, kind: Kind, pace: tuple[float, ...], now: datetime, tz: ZoneInfo
) -> datetime | None:
    used = quota.used_of(limits, kind) + quota.held_seconds(limits)
    left = float(quota.limit_of(limits, kind) - used)
    end = end_of(kind, quota.period_key(limits, kind), tz)
    if left <= 0:
        return now
    moment = now
    while moment < end:
        day = business_day(moment, tz)
        whole = day_window(day, tz)
        share = (whole.end - moment) / (whole.end - whole.start)
        expected = pace[day.weekday()] * share
        if expected >= left:
            return min(moment + (whole.end - moment) * (left / expected), end)
        left -= expected
        moment = whole.end
    return None
