"""Minute quotas: reserve before paying, settle with what was really used, release otherwise.

Pure functions over a clinic's `MinuteLimits`; all amounts are whole seconds. Months and ISO weeks
are those of the clinic's zone and are computed from the clock at each access, so no reset job can
be forgotten (contract 5.6, design 5.5). Every operation is idempotent by call.
"""

import math
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from medai.clinics.models import MinuteLimits, Reservation
from medai.errors import QuotaExceededError
from medai.kit.days import week_start


def month_key(day: date) -> str:
    """The month of a day: "2026-11"."""
    return f"{day:%Y-%m}"


def week_key(day: date) -> str:
    """The ISO week of a day: "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def at(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> MinuteLimits:
    """The limits as they stand at a moment: counters of an earlier month or week are zero.

    Settled reservations of calls that failed for good end with their month.
    """
    today = now.astimezone(tz).date()
    month, week = month_key(today), week_key(today)
    kept = limits.reservations
    if limits.month != month:
        kept = {key: item for key, item in kept.items() if not item.settled}
    return limits.model_copy(
        update={
            "reservations": kept,
            "month": month,
            "month_used_seconds": limits.month_used_seconds if limits.month == month else 0,
            "week": week,
            "week_used_seconds": limits.week_used_seconds if limits.week == week else 0,
        }
    )


def held_seconds(limits: MinuteLimits) -> int:
    """Seconds reserved and not settled yet."""
    return sum(item.seconds for item in limits.reservations.values() if not item.settled)


def reserve(
    limits: MinuteLimits, call_id: str, seconds: float, now: datetime, tz: ZoneInfo
) -> MinuteLimits:
    """Hold seconds for a call. Raises QuotaExceededError when month or week would be exceeded.

    The month is checked before the week, as old clients expect. A call that holds a reservation
    already keeps it.
    """
    current = at(limits, now, tz)
    if call_id in current.reservations:
        return current
    wanted = math.ceil(seconds)
    held = held_seconds(current)
    if current.month_used_seconds + held + wanted > current.monthly_seconds:
        raise QuotaExceededError(
            "Месячный лимит минут исчерпан: добавьте минуты или дождитесь 1-го числа"
        )
    if current.week_used_seconds + held + wanted > current.weekly_seconds:
        raise QuotaExceededError(
            "Недельный лимит минут исчерпан: добавьте минуты или дождитесь понедельника"
        )
    return _with(current, call_id, Reservation(seconds=wanted))


def settle(
    limits: MinuteLimits, call_id: str, seconds: float, now: datetime, tz: ZoneInfo
) -> MinuteLimits:
    """Count what a reserved call really used. Without an open reservation nothing changes."""
    current = at(limits, now, tz)
    reservation = current.reservations.get(call_id)
    if reservation is None or reservation.settled:
        return current
    used = math.ceil(seconds)
    counted = current.model_copy(
        update={
            "month_used_seconds": current.month_used_seconds + used,
            "week_used_seconds": current.week_used_seconds + used,
        }
    )
    return _with(counted, call_id, Reservation(seconds=used, settled=True))


def release(limits: MinuteLimits, call_id: str) -> MinuteLimits:
    """Forget a call's reservation: unsettled seconds are free again, settled ones stay used."""
    kept = {key: item for key, item in limits.reservations.items() if key != call_id}
    return limits.model_copy(update={"reservations": kept})


def give_up(limits: MinuteLimits, call_id: str) -> MinuteLimits:
    """Free what a call holds after a failure; what it has used stays settled.

    The next attempt meets the same recognition, which is paid for: it must not count again.
    """
    held = limits.reservations.get(call_id)
    return limits if held is None or held.settled else release(limits, call_id)


def next_reset(
    limits: MinuteLimits, now: datetime, tz: ZoneInfo, *, seconds: float = 0
) -> datetime:
    """When a call of this length may be tried again: the next 1st if it does not fit into the
    month, else next Monday.
    """
    current = at(limits, now, tz)
    today = now.astimezone(tz).date()
    wanted = max(1, math.ceil(seconds))
    if current.month_used_seconds + held_seconds(current) + wanted > current.monthly_seconds:
        first_of_next = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        return datetime.combine(first_of_next, time.min, tz)
    return datetime.combine(week_start(today) + timedelta(days=7), time.min, tz)


def _with(limits: MinuteLimits, call_id: str, reservation: Reservation) -> MinuteLimits:
    return limits.model_copy(update={"reservations": {**limits.reservations, call_id: reservation}})
