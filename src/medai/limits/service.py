"""Quota operations on stored clinics, safe for any number of workers."""

from collections.abc import Callable
from datetime import datetime

from medai.clinics.models import Clinic, MinuteLimits
from medai.clinics.repository import ClinicRepository
from medai.kit.clock import Clock
from medai.kit.days import zone
from medai.limits import quota

Operation = Callable[[MinuteLimits, Clinic], MinuteLimits]


class LimitService:
    """Reserves, settles and releases minutes inside the clinic document."""

    def __init__(self, clinics: ClinicRepository, clock: Clock) -> None:
        self._clinics = clinics
        self._clock = clock

    async def reserve(self, client_id: str, call_id: str, seconds: float) -> None:
        """Hold seconds for a call. Raises QuotaExceededError, NotFoundError."""
        now = self._clock()
        await self._apply(
            client_id, lambda held, c: quota.reserve(held, call_id, seconds, now, zone(c.timezone))
        )

    async def settle(self, client_id: str, call_id: str, seconds: float) -> None:
        """Count what a reserved call used. Raises NotFoundError."""
        now = self._clock()
        await self._apply(
            client_id, lambda held, c: quota.settle(held, call_id, seconds, now, zone(c.timezone))
        )

    async def release(self, client_id: str, call_id: str) -> None:
        """Forget a call's reservation once its transcript is stored. Raises NotFoundError."""
        await self._apply(client_id, lambda held, _: quota.release(held, call_id))

    async def give_up(self, client_id: str, call_id: str) -> None:
        """Free what a failed call holds; minutes it has used stay. Raises NotFoundError."""
        await self._apply(client_id, lambda held, _: quota.give_up(held, call_id))

    async def next_reset(self, client_id: str, seconds: float = 0) -> datetime:
        """When a call of this length may be tried again. Raises NotFoundError."""
        clinic = await self._clinics.require(client_id)
        now, tz = self._clock(), zone(clinic.timezone)
        return quota.next_reset(clinic.limits, now, tz, seconds=seconds)

    async def _apply(self, client_id: str, operation: Operation) -> None:
        await self._clinics.change(
            client_id,
            lambda clinic: clinic.model_copy(update={"limits": operation(clinic.limits, clinic)}),
        )
