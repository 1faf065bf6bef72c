"""Warnings at 80, 90 and 100 % of a month's or week's minutes (field.md 2.10, contract 5.6). Pure.

What was warned of is kept inside the limits themselves, so the compare-and-set that counts the
minutes also decides who warns: one worker, once per period, whatever restarts.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from medai.clinics.models import LimitWarning, MinuteLimits
from medai.limits import quota
from medai.limits.periods import KINDS, Kind

THRESHOLDS = (80, 90, 100)
"""Percent of the limit."""
SPENT = 100
_ALL_BUT_SPENT = 90
KEPT = 60
"""Warnings that are remembered: half a year of months and weeks that all run out is 93."""


def noticed(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> MinuteLimits:
    """The limits with every threshold noted that is reached and was not warned of before."""
    current = quota.at(limits, now, tz)
    return _noted(current, now, ((kind, p) for kind in KINDS for p in _reached(current, kind)))


def refused(limits: MinuteLimits, seconds: float, now: datetime, tz: ZoneInfo) -> MinuteLimits:
    """The limits after a call of this length was refused: a period that is all but spent is noted.

    The last minute may be too short for every call that waits: 100 % would never be reached.
    """
    current = quota.at(limits, now, tz)
    kind = quota.refusing(current, seconds, now, tz)
    if kind is None or _ALL_BUT_SPENT not in _reached(current, kind):
        return limits
    return _noted(current, now, [(kind, SPENT)])


def newly(before: MinuteLimits, after: MinuteLimits) -> tuple[LimitWarning, ...]:
    """What `after` warns of and `before` did not: crossed between the two."""
    known = {_identity(each) for each in before.warnings}
    return tuple(each for each in after.warnings if _identity(each) not in known)


def withdrawn(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> MinuteLimits:
    """The limits without those warnings of the present that no longer hold.

    After minutes were added the same threshold may be reached again, and then warns again.
    """
    current = quota.at(limits, now, tz)
    kept = tuple(
        each
        for each in current.warnings
        if not _is_present(each, current) or each.percent in _reached(current, each.period)
    )
    return current.model_copy(update={"warnings": kept})


def present(limits: MinuteLimits, now: datetime, tz: ZoneInfo) -> tuple[LimitWarning, ...]:
    """Warnings of the month and week that run at a moment, oldest first."""
    current = quota.at(limits, now, tz)
    return tuple(each for each in current.warnings if _is_present(each, current))


def percent_used(used: int, limit: int) -> float:
    """Share of a limit in percent; a limit of nothing is spent by the first second."""
    if limit > 0:
        return used * 100 / limit
    return 100.0 if used else 0.0


def _reached(limits: MinuteLimits, kind: Kind) -> tuple[int, ...]:
    share = percent_used(quota.used_of(limits, kind), quota.limit_of(limits, kind))
    return tuple(percent for percent in THRESHOLDS if share >= percent)


def _noted(
    limits: MinuteLimits, now: datetime, reached: Iterable[tuple[Kind, int]]
) -> MinuteLimits:
    known = {_identity(each) for each in limits.warnings}
    added = [
        LimitWarning(period=kind, key=quota.period_key(limits, kind), percent=percent, at=now)
        for kind, percent in reached
        if (kind, quota.period_key(limits, kind), percent) not in known
    ]
    if not added:
        return limits
    return limits.model_copy(update={"warnings": (*limits.warnings, *added)[-KEPT:]})


def _identity(warning: LimitWarning) -> tuple[str, str, int]:
    return warning.period, warning.key, warning.percent


def _is_present(warning: LimitWarning, limits: MinuteLimits) -> bool:
    return warning.key == quota.period_key(limits, warning.period)
