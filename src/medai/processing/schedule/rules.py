"""What is due in a clinic at a moment, decided on the clinic's own wall clock. Pure.

The engine's cron knows UTC only (stores-and-jobs.md 4), so a tick asks these rules every half
minute. They hold however often and however late they are asked, and whatever the clock did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from medai.kit.days import DayRange, week_start

MAX_MISSED_DAYS = 14
"""A night looks back this far when the service was off; older days a person asks for."""
RESCAN_DAYS = 3
"""72 hours (design 5.1): strict cursors have lost calls (amocrm.md 11.1)."""
_CLOCK_DIFFERENCE = timedelta(minutes=1)
"""How far the clocks of two machines may be apart without doing everything twice."""
_NOON = 12
_DAY = timedelta(days=1)
_RESCAN_AFTER_NIGHT_HOURS = 12
"""The re-scan keeps away from the night's own load."""
_TOKEN_HOUR = 4
_RETENTION_HOUR = 3


class Activity(StrEnum):
    """What the service does by itself."""

    POLL = "poll"
    NIGHT = "night"
    RESCAN = "rescan"
    LINKS = "links"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    EXPORT = "export"
    RETENTION = "retention"
    TICK = "tick"


@dataclass(frozen=True, slots=True)
class Plan:
    """When a clinic's activities take place. `poll` and `links` None: never."""

    zone: ZoneInfo
    night_hour: int = 21
    poll: timedelta | None = timedelta(minutes=15)
    links: timedelta | None = timedelta(hours=1)
    export: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """When an activity was begun last: the moment (UTC) and, for daily ones, the slot's day."""

    at: datetime
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """An activity to begin now. `day` names the slot of a daily one, `before` the slot it was
    begun for last (the day the clinic was connected when it never was)."""

    activity: Activity
    day: date | None = None
    before: date | None = None


def due_activities(
    plan: Plan, now: datetime, begun: Mapping[Activity, Begun], *, since: datetime
) -> list[Due]:
    """What to begin now; `since` is when the clinic was connected (no slot before it counts)."""
    found: list[Due] = []
    for activity, interval in _intervals(plan).items():
        if interval is not None and _interval_over(interval, now, begun.get(activity)):
            found.append(Due(activity))
    for activity, hour in _hours(plan).items():
        due = _daily(activity, hour, plan.zone, now, begun.get(activity), since)
        if due is not None:
            found.append(due)
    return found


def slot(hour: int, tz: ZoneInfo, now: datetime) -> date:
    """The newest local day whose `hour` has come; a skipped hour counts as its neighbour."""
    today = now.astimezone(tz).date()
    return today if slot_start(today, hour, tz) <= now else today - _DAY


def slot_start(day: date, hour: int, tz: ZoneInfo) -> datetime:
    """The moment of the local hour on this day, in UTC; of two equal hours the first."""
    return datetime.combine(day, time(hour), tz).astimezone(UTC)


def covered_day(day: date, night_hour: int) -> date:
    """The business day that a night brings to its end: in the small hours it is yesterday."""
    return day if night_hour >= _NOON else day - _DAY


def night_days(due: Due, night_hour: int) -> DayRange:
    """The days of a night: from the one covered last (its evening was open) to this one."""
    last = covered_day(due.day or date.min, night_hour)
    before = covered_day(due.before, night_hour) if due.before else last
    return DayRange(max(min(before, last), last - timedelta(days=MAX_MISSED_DAYS - 1)), last)


def poll_days(today: date, before: date | None) -> DayRange:
    """Today, and yesterday too when the poll before was yesterday's: its last calls came after."""
    return DayRange(today - _DAY if before == today - _DAY else today, today)


def rescan_days(day: date) -> DayRange:
    """The days of a re-scan that begins on this local day."""
    return DayRange(day - timedelta(days=RESCAN_DAYS), day)


def weeks_to_conclude(due: Due) -> list[DayRange]:
    """Mon-Sun weeks whose conclusions are drawn by this night: one for each Monday among the
    slots since the last night, oldest first."""
    days = [day for day in _slots(due) if day.weekday() == 0]
    return [DayRange(day - timedelta(days=7), day - _DAY) for day in days]


def months_to_conclude(due: Due) -> list[date]:
    """First days of the months whose conclusions are drawn by this night, oldest first."""
    return [(day - _DAY).replace(day=1) for day in _slots(due) if day.day == 1]


def weeks_beginning_in(month: date) -> list[DayRange]:
    """All Mon-Sun weeks that begin in the month of this first day."""
    monday = week_start(month + timedelta(days=6))
    weeks = []
    while (monday.year, monday.month) == (month.year, month.month):
        weeks.append(DayRange(monday, monday + timedelta(days=6)))
        monday += timedelta(days=7)
    return weeks


def _slots(due: Due) -> list[date]:
    if due.day is None:
        return []
    before = due.before if due.before and due.before < due.day else due.day - _DAY
    first = max(before + _DAY, due.day - timedelta(days=MAX_MISSED_DAYS - 1))
    return list(DayRange(first, due.day))


def _intervals(plan: Plan) -> dict[Activity, timedelta | None]:
    return {
        Activity.POLL: plan.poll,
        Activity.LINKS: plan.links,
        Activity.EXPORT: plan.export,
    }


def _hours(plan: Plan) -> dict[Activity, int]:
    return {
        Activity.NIGHT: plan.night_hour,
        Activity.RESCAN: (plan.night_hour + _RESCAN_AFTER_NIGHT_HOURS) % 24,
        Activity.TOKEN: _TOKEN_HOUR,
        Activity.RETENTION: _RETENTION_HOUR,
    }


def _interval_over(interval: timedelta, now: datetime, begun: Begun | None) -> bool:
    """A beginning far in the future means that the clock was set back: nobody waits for it."""
    return begun is None or not -_CLOCK_DIFFERENCE < now - begun.at < interval


def _daily(
    activity: Activity,
    hour: int,
    tz: ZoneInfo,
    now: datetime,
    begun: Begun | None,
    since: datetime,
) -> Due | None:
    day = slot(hour, tz, now)
    before = begun.day if begun else None
    if before is None:
        connected = since.astimezone(tz).date()
        # A slot that had passed when the clinic was connected is not made up for.
        return Due(activity, day, connected) if slot_start(day, hour, tz) > since else None
    # One day ahead is a clock corrected around the hour; further ahead it had run wild.
    if before < day or before > day + _DAY:
        return Due(activity, day, min(before, day))
    return None
