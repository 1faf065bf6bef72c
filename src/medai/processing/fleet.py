"""The ports of processing over PostgreSQL: one queue and one set of locks for all processes."""

from contextlib import AbstractAsyncContextManager

from medai.infra.jobs import JobQueue
from medai.infra.postgres import Pool, advisory_lock
from medai.processing.ports import Job


class FleetJobs:
    """The `Jobs` port."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    async def defer(self, job: Job) -> bool:
        """Queue a job; False when one with the same key is waiting. Raises StoreError."""
        return await self._queue.defer(
            job.task.value,
            job.args,
            queue=job.task.queue,
            key=job.key,
            lock=job.lock,
            priority=job.priority,
            at=job.at,
        )


class FleetLocks:
    """The `Locks` port."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the named lock and hold it; freed when the holder dies. Raises StoreError."""
        return advisory_lock(self._pool, key)
