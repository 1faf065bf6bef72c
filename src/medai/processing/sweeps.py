"""Calls that are due but have no job: lost between two writes, restored from a dump, woken up.

Jobs are only a way to work; what is to be done is said by the calls. So whatever happened to the
queue, a sweep puts it right (design 5).
"""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from itertools import count

import structlog

from medai.calls.life import due_steps, open_steps
from medai.calls.models import Call, Step
from medai.calls.repository import CallRepository
from medai.kit.clock import Clock
from medai.processing.ports import Job, Jobs
from medai.processing.requests import step_job
from medai.processing.stops import Stops

OLDEST = timedelta(days=45)
"""The longest wait is a month for new minutes; older calls change only when somebody asks."""
_BATCH = 200
"""Calls that are compared with the queue at once."""

_log = structlog.get_logger(__name__)


class Sweeps:
    """Compares calls with the queue. Raises StoreError."""

    def __init__(self, calls: CallRepository, jobs: Jobs, stops: Stops, clock: Clock) -> None:
        self._calls = calls
        self._jobs = jobs
        self._stops = stops
        self._clock = clock

    async def queue_due(self) -> int:
        """Queue due steps that have no job; returns how many were queued."""
        queued, batch = 0, list[Job]()
        async for job in self._due_jobs():
            batch.append(job)
            if len(batch) >= _BATCH:
                queued += await self._queued(batch)
                batch = []
        queued += await self._queued(batch)
        if queued:
            _log.warning("due calls without a job queued", jobs=queued)
        return queued

    async def try_stopped(self) -> int:
        """Where a stopped provider may be tried, make one waiting call due; returns how many.

        A stop for which no call waits is taken away: the next call will find out.
        """
        tried, now = 0, self._clock()
        async for stop in self._stops.standing():
            if stop.next_trial_at > now:
                continue
            woken = await self._wake(stop.id, at_most=1)
            if not woken:
                await self._stops.lift(stop.id)
            tried += woken
        return tried

    async def resume(self, stop_id: str) -> int:
        """The provider works again: all calls that waited for it go on; returns how many."""
        await self._stops.lift(stop_id)
        return await self._wake(stop_id)

    async def _wake(self, stop_id: str, *, at_most: int | None = None) -> int:
        woken = 0
        async for call in self._unfinished():
            for step in _stopped_steps(call, stop_id):
                if at_most is not None and woken >= at_most:
                    return woken
                await self._calls.change(
                    call.id,
                    {f"failures.{step}.next_try_at": self._clock()},
                    where={f"failures.{step}.stop": stop_id},
                )
                await self._jobs.defer(step_job(call, step, priority=-woken))
                woken += 1
        return woken

    async def _due_jobs(self) -> AsyncIterator[Job]:
        ordinal = count()
        async for call in self._unfinished():
            for step in due_steps(call, self._clock()):
                yield step_job(call, step, priority=-next(ordinal))

    async def _queued(self, jobs: list[Job]) -> int:
        present = await self._jobs.present([job.lock for job in jobs], self._clock())
        missing = [job for job in jobs if job.lock not in present]
        return await self._jobs.defer_many(missing) if missing else 0

    def _unfinished(self) -> AsyncIterator[Call]:
        return self._calls.unfinished((self._clock() - OLDEST).date())


def _stopped_steps(call: Call, stop_id: str) -> Iterable[Step]:
    return (step for step in open_steps(call) if _waits_for(call, step, stop_id))


def _waits_for(call: Call, step: Step, stop_id: str) -> bool:
    failure = call.failures.get(step)
    return failure is not None and failure.stop == stop_id
