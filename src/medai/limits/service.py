"""Quota operations on stored clinics, safe for any number of workers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from medai.clinics.models import Clinic, LimitWarning, MinuteLimits
from medai.clinics.repository import ClinicRepository
from medai.errors import QuotaExceededError
from medai.kit.clock import Clock
from medai.kit.days import zone
from medai.limits import quota, warnings
from medai.limits.state import LimitState, state_of
from medai.limits.writing import Operation, change_limits

FinishedCalls = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Tells which of the calls will not be recognised any more (or do not exist)."""

ABANDONED_AFTER = timedelta(hours=1)
"""A recognition ends within minutes: what is held longer belongs to a worker that died."""


class LimitService:
    """Reserves, settles and releases minutes inside the clinic document; warns and foretells.

    Every method raises NotFoundError for an unknown clinic, StoreError, and ConflictError when
    the clinic is written too often.
    """

    def __init__(self, clinics: ClinicRepository, clock: Clock) -> None:
        self._clinics = clinics
        self._clock = clock

    async def reserve(self, client_id: str, call_id: str, seconds: float) -> None:
        """Hold seconds for a call. Raises QuotaExceededError."""
        now = self._clock()
        try:
            await self._apply(
                client_id,
                lambda held, c: quota.reserve(held, call_id, seconds, now, zone(c.timezone)),
            )
        except QuotaExceededError:
            await self._warn_of_refusal(client_id, seconds, now)
            raise

    async def settle(self, client_id: str, call_id: str, seconds: float) -> None:
        """Count what a reserved call used."""
        now = self._clock()
        await self._apply(
            client_id,
            lambda held, c: warnings.noticed(
                quota.settle(held, call_id, seconds, now, zone(c.timezone)), now, zone(c.timezone)
            ),
        )

    async def release(self, client_id: str, call_id: str) -> None:
        """Forget a call's reservation once its transcript is stored."""
        await self._apply(client_id, lambda held, _: quota.release(held, call_id))

    async def give_up(self, client_id: str, call_id: str) -> None:
        """Free what a failed call holds; minutes it has used stay."""
        await self._apply(client_id, lambda held, _: quota.give_up(held, call_id))

    async def free_abandoned(self, finished: FinishedCalls) -> int:
        """Free what finished calls still hold because a worker died in between.

        For a sweep: only calls that have held their seconds for an hour are asked about. Returns
        how many reservations were freed.
        """
        freed = 0
        before = self._clock() - ABANDONED_AFTER
        async for clinic in self._clinics.all():
            held = quota.held_since(clinic.limits, before)
            if held and (over := await finished(held)):
                freed += await self._freed(clinic.client_id, over, before)
        return freed

    async def next_reset(self, client_id: str, seconds: float = 0) -> datetime:
        """When a call of this length may be tried again, in UTC."""
        clinic = await self._clinics.require(client_id)
        now, tz = self._clock(), zone(clinic.timezone)
        return quota.next_reset(clinic.limits, now, tz, seconds=seconds)

    async def warnings(self, client_id: str) -> tuple[LimitWarning, ...]:
        """What the clinic was warned of, oldest first, earlier months and weeks included."""
        return (await self._clinics.require(client_id)).limits.warnings

    async def state(self, client_id: str) -> LimitState:
        """Month and week of a clinic at this moment."""
        return state_of(await self._clinics.require(client_id), self._clock())

    async def spent(self, client_id: str) -> LimitState | None:
        """The state when the month or the week is used up; None while minutes are left."""
        state = await self.state(client_id)
        used_up = any(p.used_seconds >= p.limit_seconds for p in (state.month, state.week))
        return state if used_up else None

    async def states(self) -> AsyncIterator[LimitState]:
        """The same for every clinic, by name."""
        async for clinic in self._clinics.all():
            yield state_of(clinic, self._clock())

    async def _freed(self, client_id: str, call_ids: Collection[str], before: datetime) -> int:
        freed = 0

        def operation(held: MinuteLimits, _: Clinic) -> MinuteLimits:
            nonlocal freed
            left = quota.free(held, call_ids, before)
            freed = len(held.reservations) - len(left.reservations)
            return left

        await self._apply(client_id, operation)
        return freed

    async def _warn_of_refusal(self, client_id: str, seconds: float, now: datetime) -> None:
        await self._apply(
            client_id, lambda held, c: warnings.refused(held, seconds, now, zone(c.timezone))
        )

    async def _apply(self, client_id: str, operation: Operation) -> None:
        await change_limits(self._clinics, client_id, operation)
