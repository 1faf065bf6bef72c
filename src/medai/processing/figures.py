"""How the whole installation stands: one reading for Prometheus, bounded in size and time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import structlog

from medai.calls.life import open_steps
from medai.calls.repository import CallRepository
from medai.errors import StoreError
from medai.infra.job_figures import QueueFigures, WorkerFigures, queue_figures, worker_figures
from medai.infra.postgres import Pool
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.limits.service import LimitService
from medai.limits.state import LimitState
from medai.processing.held import HeldWork
from medai.processing.stops import Stops

_log = structlog.get_logger(__name__)

KEPT_SECONDS = 5.0
"""However often one asks, the stores are read this rarely."""
PART_SECONDS = 3.0
"""A part that takes longer is left out of the reading."""
SHOWN_DAYS = timedelta(days=7)
"""Calls by stage are those of the last business days: the rest does not change."""
_LOOKED_AT = 200
"""Unfinished calls of one kind that are looked at; more than this many final failures in a row
would hide an older call that waits."""
_MOST_CLINICS = 500


@dataclass(slots=True)
class Reading:
    """What was found. A part that could not be read is empty and named in `missing`.

    `stages` counts calls of the last seven business days; `oldest_seconds` is how long ago the
    oldest call that waits in a stage took place.
    """

    queues: list[QueueFigures] = field(default_factory=list)
    workers: WorkerFigures | None = None
    stages: dict[str, int] = field(default_factory=dict)
    oldest_seconds: dict[str, float] = field(default_factory=dict)
    quotas: list[LimitState] = field(default_factory=list)
    stops: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)


Part = Callable[[Reading], Awaitable[None]]


class Figures:
    """Reads the figures; answers within seconds whatever the stores do, and never raises."""

    def __init__(
        self,
        pool: Pool,
        calls: CallRepository,
        limits: LimitService,
        stops: Stops,
        held: HeldWork,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._calls = calls
        self._limits = limits
        self._stops = stops
        self._held = held
        self._clock = clock
        self._turn = asyncio.Lock()
        self._last: Reading | None = None
        self._read_at = 0.0

    async def reading(self) -> Reading:
        """The figures, at most five seconds old. Who asks meanwhile waits for the same reading."""
        async with self._turn:
            if self._last is None or monotonic() - self._read_at >= KEPT_SECONDS:
                self._last = await self._read()
                self._read_at = monotonic()
            return self._last

    async def _read(self) -> Reading:
        found = Reading()
        parts: dict[str, Part] = {
            "queues": self._queues,
            "workers": self._workers,
            "calls": self._stages,
            "quotas": self._quotas,
            "stops": self._standing,
            "held": self._held_work,
        }
        await asyncio.gather(*(_bounded(name, part, found) for name, part in parts.items()))
        return found

    async def _queues(self, found: Reading) -> None:
        found.queues = await queue_figures(self._pool)

    async def _workers(self, found: Reading) -> None:
        found.workers = await worker_figures(self._pool)

    async def _stages(self, found: Reading) -> None:
        now = self._clock()
        days = DayRange((now - SHOWN_DAYS).date(), (now + timedelta(days=1)).date())
        where = {"skip_reason": None}
        found.stages = await self._calls.count_by("stage", None, days, where)
        found.oldest_seconds = await self._oldest(days, now)

    async def _oldest(self, days: DayRange, now: datetime) -> dict[str, float]:
        oldest: dict[str, float] = {}
        async for call in self._calls.oldest_unfinished(days.first, _LOOKED_AT):
            if open_steps(call):
                age = max(0.0, (now - call.started_at).total_seconds())
                oldest[call.stage.value] = max(age, oldest.get(call.stage.value, 0.0))
        return oldest

    async def _quotas(self, found: Reading) -> None:
        async for state in self._limits.states():
            if len(found.quotas) < _MOST_CLINICS:
                found.quotas.append(state)

    async def _standing(self, found: Reading) -> None:
        found.stops = dict(Counter([stop.provider async for stop in self._stops.standing()]))

    async def _held_work(self, found: Reading) -> None:
        found.held = dict(Counter(item.kind.value for item in await self._held.items()))


async def _bounded(name: str, part: Part, found: Reading) -> None:
    try:
        async with asyncio.timeout(PART_SECONDS):
            await part(found)
    except (StoreError, TimeoutError) as error:
        found.missing.add(name)
        _log.warning("figures not read", part=name, error=type(error).__name__)
    except Exception:  # noqa: BLE001 - a mistake in one figure must not hide the others
        found.missing.add(name)
        _log.exception("figures broke", part=name)
