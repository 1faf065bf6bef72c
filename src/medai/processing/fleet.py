"""The ports of processing over PostgreSQL: one queue and one set of locks for all processes."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from medai.infra.jobs import JobQueue, QueuedJob
from medai.infra.postgres import Pool, advisory_lock
from medai.processing.ports import Job


class FleetJobs:
    """The `Jobs` port."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    async def defer(self, job: Job) -> bool:
        """Queue a job; False when one with the same key is waiting. Raises StoreError."""
        return await self._queue.defer(_queued(job))

    async def defer_many(self, jobs: Sequence[Job]) -> int:
        """Queue jobs; returns how many were not waiting already. Raises StoreError."""
        return await self._queue.defer_many([_queued(job) for job in jobs])

    async def present(self, locks: Sequence[str], now: datetime) -> set[str]:
        """Which of the locks have a job under way or ready to start. Raises StoreError."""
        return await self._queue.present(locks, now)

    async def busy(self, now: datetime) -> bool:
        """Whether any job is under way or may start now. Raises StoreError."""
        return await self._queue.busy(now)


class FleetLocks:
    """The `Locks` port."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the named lock and hold it; freed when the holder dies. Raises StoreError."""
        return advisory_lock(self._pool, key)


def _queued(job: Job) -> QueuedJob:
    return QueuedJob(
        task=job.task.value,
        args=job.args,
        queue=job.task.queue,
        key=job.key,
        lock=job.lock,
        priority=job.priority,
        at=job.at,
    )
