"""What people do with limits: set, add, reset. Each wakes the calls that wait for minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from medai.clinics.models import MinuteLimits
from medai.clinics.repository import ClinicRepository
from medai.errors import InvalidInputError
from medai.kit.clock import Clock
from medai.kit.days import zone
from medai.limits import quota, warnings
from medai.limits.periods import Kind
from medai.limits.ports import WaitingCalls
from medai.limits.state import LimitState, state_of
from medai.limits.writing import change_limits

_log = structlog.get_logger(__name__)

MOST_SECONDS = 1_000_000 * 60
"""A million minutes: more than a call centre of twenty people can talk in a year."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The limits after a change, and how many waiting calls it woke."""

    state: LimitState
    woken: int


class LimitChanges:
    """Changes limits for people. Every method raises NotFoundError, ConflictError, StoreError."""

    def __init__(self, clinics: ClinicRepository, waiting: WaitingCalls, clock: Clock) -> None:
        self._clinics = clinics
        self._waiting = waiting
        self._clock = clock

    async def set(
        self,
        client_id: str,
        *,
        monthly_seconds: int | None = None,
        weekly_seconds: int | None = None,
        month_used_seconds: int | None = None,
    ) -> Changed:
        """Set limits and, if given, what counts as used this month (contract 1.5 PUT limits).

        Raises InvalidInputError for an amount below zero or beyond reason.
        """
        given = {
            "monthly_seconds": monthly_seconds,
            "weekly_seconds": weekly_seconds,
            "month_used_seconds": month_used_seconds,
        }
        fields = {name: _checked(value) for name, value in given.items() if value is not None}
        return await self._change(client_id, lambda limits: limits.model_copy(update=fields))

    async def add(
        self, client_id: str, *, month_seconds: int = 0, week_seconds: int = 0
    ) -> Changed:
        """Raise the limits by so much, for good (contract 1.5 limits/add).

        Raises InvalidInputError for an amount below zero or beyond reason.
        """
        month, week, now = _checked(month_seconds), _checked(week_seconds), self._clock()

        def raised(limits: MinuteLimits) -> MinuteLimits:
            fields = {
                "monthly_seconds": _checked(limits.monthly_seconds + month),
                "weekly_seconds": _checked(limits.weekly_seconds + week),
                "topped_up_at": now,
            }
            return limits.model_copy(update=fields)

        return await self._change(client_id, raised)

    async def reset(self, client_id: str, *kinds: Kind) -> Changed:
        """Count the running month, week or both as unused; what calls hold stays held."""
        fields = {f"{kind}_used_seconds": 0 for kind in kinds}
        return await self._change(client_id, lambda limits: limits.model_copy(update=fields))

    async def _change(
        self, client_id: str, change: Callable[[MinuteLimits], MinuteLimits]
    ) -> Changed:
        now = self._clock()
        stored = await change_limits(
            self._clinics,
            client_id,
            lambda limits, clinic: _changed(limits, change, now, zone(clinic.timezone)),
        )
        woken = await self._waiting.wake_quota(client_id)
        _log.info("minute limits changed", client_id=client_id, calls_woken=woken)
        return Changed(state_of(stored, now), woken)


def _changed(
    limits: MinuteLimits,
    change: Callable[[MinuteLimits], MinuteLimits],
    now: datetime,
    tz: ZoneInfo,
) -> MinuteLimits:
    """The change on the present counters; warnings follow the new shares."""
    after = change(quota.at(limits, now, tz))
    return warnings.noticed(warnings.withdrawn(after, now, tz), now, tz)


def _checked(seconds: int) -> int:
    if 0 <= seconds <= MOST_SECONDS:
        return seconds
    most = MOST_SECONDS // 60
    raise InvalidInputError(f"Лимит вне пределов: укажите от 0 до {most} минут")
