"""Minute quotas: reserve before paying, settle with what was really used, release otherwise.

Pure functions over a clinic's `MinuteLimits`; all amounts are whole seconds. Months and ISO weeks
are those of the clinic's zone and are computed from the clock at each access, so no reset job can
be forgotten (contract 5.6, design 5.5). Every operation is idempotent by call.
"""

import math
from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from medai.clinics.models import MinuteLimits, Reservation
from medai.errors import QuotaExceededError
from medai.kit.days import business_day
from medai.limits.periods import KINDS, Kind, end_of, present_key

SETTLED_KEPT = timedelta(days=62)
"""How long a settled call that has no transcript stays known, so that its repetition counts
nothing again: calls that failed for good would otherwise be remembered for ever."""

DAYS_KEPT = 35
"""Days of use that are remembered: the forecast looks four weeks back."""

HELD_RETRY = timedelta(minutes=10)
"""What is held by calls under way is used or free again by then."""


def at(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> MinuteLimits:
    """The limits as they stand at a moment: counters of an earlier month or week are zero."""
    month = present_key("month", limits.month, now, tz)
    week = present_key("week", limits.week, now, tz)
    new_month = limits.month != month
    return limits.model_copy(
        update={
            "reservations": {
                call_id: item
                for call_id, item in limits.reservations.items()
                if not item.settled or _remembered(item, now, new_month=new_month)
            },
            "month": month,
            "month_used_seconds": 0 if new_month else limits.month_used_seconds,
            "week": week,
            "week_used_seconds": limits.week_used_seconds if limits.week == week else 0,
        }
    )


def limit_of(limits: MinuteLimits, kind: Kind) -> int:
    """Seconds allowed per month or week."""
    return limits.monthly_seconds if kind == "month" else limits.weekly_seconds


def used_of(limits: MinuteLimits, kind: Kind) -> int:
    """Seconds settled in the month or week that `limits` names."""
    return limits.month_used_seconds if kind == "month" else limits.week_used_seconds


def period_key(limits: MinuteLimits, kind: Kind) -> str:
    """The name of the month or week that `limits` counts."""
    return limits.month if kind == "month" else limits.week


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
    known = current.reservations.get(call_id)
    if known is not None:
        return current if known.settled else _with(current, call_id, known.seconds, now)
    wanted = _whole(seconds)
    for kind in KINDS:
        if wanted > _free(current, kind) - held_seconds(current):
            raise QuotaExceededError(_REFUSALS[kind])
    return _with(current, call_id, wanted, now)


def settle(
    limits: MinuteLimits, call_id: str, seconds: float, now: datetime, tz: ZoneInfo
) -> MinuteLimits:
    """Count what a reserved call really used. Without an open reservation nothing changes."""
    current = at(limits, now, tz)
    reservation = current.reservations.get(call_id)
    if reservation is None or reservation.settled:
        return current
    used = _whole(seconds)
    counted = current.model_copy(
        update={
            "month_used_seconds": current.month_used_seconds + used,
            "week_used_seconds": current.week_used_seconds + used,
            "days": _counted(current.days, used, now, tz),
        }
    )
    return _with(counted, call_id, used, now, settled=True)


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


def held_since(limits: MinuteLimits, before: datetime) -> tuple[str, ...]:
    """Calls that have held seconds since before a moment: their workers may have died."""
    return tuple(
        call_id
        for call_id, item in limits.reservations.items()
        if not item.settled and (item.at is None or item.at < before)
    )


def free(limits: MinuteLimits, call_ids: Collection[str], before: datetime) -> MinuteLimits:
    """Give up those of the calls that have held their seconds since before a moment."""
    for call_id in set(held_since(limits, before)).intersection(call_ids):
        limits = give_up(limits, call_id)
    return limits


def next_reset(
    limits: MinuteLimits, now: datetime, tz: ZoneInfo, *, seconds: float = 0
) -> datetime:
    """When a call of this length may be tried again, in UTC.

    The next 1st if it does not fit into the month, else next Monday. Soon, if only calls under
    way stand before it: what they hold may come back.
    """
    kind = refusing(limits, max(1, seconds), now, tz)
    if kind is None:
        return now + HELD_RETRY
    return end_of(kind, period_key(at(limits, now, tz), kind), tz)


def refusing(limits: MinuteLimits, seconds: float, now: datetime, tz: ZoneInfo) -> Kind | None:
    """The limit into which so many seconds do not fit even when nothing is held; month first."""
    current = at(limits, now, tz)
    wanted = _whole(seconds)
    return next((kind for kind in KINDS if wanted > _free(current, kind)), None)


def _free(limits: MinuteLimits, kind: Kind) -> int:
    """Seconds left when nobody held any; negative when the limit was lowered."""
    return limit_of(limits, kind) - used_of(limits, kind)


def _remembered(item: Reservation, now: datetime, *, new_month: bool) -> bool:
    """Whether a settled reservation is kept; those of earlier versions end with their month."""
    return not new_month if item.at is None else now - item.at < SETTLED_KEPT


def _counted(days: dict[str, int], used: int, now: datetime, tz: ZoneInfo) -> dict[str, int]:
    today = business_day(now, tz)
    oldest = (today - timedelta(days=DAYS_KEPT)).isoformat()
    kept = {day: seconds for day, seconds in days.items() if day > oldest}
    return {**kept, today.isoformat(): kept.get(today.isoformat(), 0) + used}


def _whole(seconds: float) -> int:
    """Started seconds count; a recording cannot be shorter than nothing."""
    return max(0, math.ceil(seconds))


def _with(
    limits: MinuteLimits, call_id: str, seconds: int, now: datetime, *, settled: bool = False
) -> MinuteLimits:
    held = Reservation(seconds=seconds, settled=settled, at=now)
    return limits.model_copy(update={"reservations": {**limits.reservations, call_id: held}})


_REFUSALS: dict[Kind, str] = {
    "month": "Месячный лимит минут исчерпан: добавьте минуты или дождитесь 1-го числа",
    "week": "Недельный лимит минут исчерпан: добавьте минуты или дождитесь понедельника",
}
