"""Jobs that were lost: back into the queue, or away when they are queued again already.

The engine leaves a killed worker's jobs under way for ever, and each keeps its lock: later jobs
of the same call would never start. And a step fails as a job only when a store refused to take
its outcome: the call tells nothing of it, so nobody would ask again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions as engine_errors
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker

from medai.errors import StoreError
from medai.infra.jobs import SCHEMA
from medai.infra.postgres import Pool, advisory_lock, store_errors
from medai.processing.requests import STEP_TASKS
from medai.worker.lifeline import IS_FREE

_log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
_SILENT_SECONDS = 3 * HEARTBEAT_SECONDS
_LOOK_SECONDS = 3.0
"""Longer than a lifeline needs to come back after the server was away (`lifeline.py`)."""
_LOOKS_FOR_ONE_AT_FAILED = 100
"""Every five minutes: a job that fails again and again may be a mistake of ours."""

_NO_WORKER = 0
# AS MATERIALIZED: the lock is tried for silent workers only, whatever the planner thinks.
_DEAD = f"""
WITH silent AS MATERIALIZED (
    SELECT DISTINCT w.id FROM {SCHEMA}.procrastinate_workers w
    JOIN {SCHEMA}.procrastinate_jobs j ON j.worker_id = w.id AND j.status = 'doing'
    WHERE w.last_heartbeat < now() - {_SILENT_SECONDS} * interval '1 second'
)
SELECT id FROM silent WHERE {IS_FREE}
UNION ALL
SELECT {_NO_WORKER} WHERE EXISTS (
    SELECT 1 FROM {SCHEMA}.procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL
)
"""  # noqa: S608 - constants


class Recovery:
    """Looks for jobs that nobody works on. One per process; several processes may look."""

    def __init__(
        self, engine: procrastinate.App, pool: Pool, workers: Sequence[Worker] = ()
    ) -> None:
        """`workers` are those of this process."""
        self._engine = engine
        self._pool = pool
        self._workers = workers
        self._suspects: set[int] = set()
        self._unattended: set[int] = set()

    async def keep_looking(self) -> None:
        """Look for jobs of dead workers every few seconds, for failed ones more rarely; endless."""
        look = 0
        while True:
            try:
                await self.look()
                await self.look_at_own()
                if look % _LOOKS_FOR_ONE_AT_FAILED == 0:
                    await self.repeat_failed()
                look += 1
            except StoreError:
                _log.warning("recovery of jobs postponed: the store is away")
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> int:
        """Queue the jobs of workers found dead at two looks in a row; returns how many jobs.

        Two, because after a restart of PostgreSQL all workers are silent and lockless for a
        moment. Raises StoreError.
        """
        dead = await self._dead()
        confirmed, self._suspects = dead & self._suspects, dead
        return await self._recover(confirmed) if confirmed else 0

    async def look_at_own(self) -> int:
        """Queue jobs under way of this process that nobody in it carries out; returns how many.

        The engine says once that a job has ended. If the database is away just then, the job stays
        under way, and a living worker is never found dead. Two looks, because a job is taken a
        moment before it begins. Raises StoreError.
        """
        own = {one.worker_id for one in self._workers if one.worker_id is not None}
        async with self._errors():
            jobs = [job for job in await self._doing() if job.worker_id in own]
        left = {job.id: job for job in jobs if job.id is not None and job.id not in self._begun()}
        confirmed, self._unattended = left.keys() & self._unattended, set(left)
        if confirmed:
            async with self._alone():
                await self._queue_again([left[job_id] for job_id in confirmed])
        return len(confirmed)

    def _begun(self) -> set[int | None]:
        return {
            context.job.id for worker in self._workers for context in worker._running_jobs.values()
        }

    async def repeat_failed(self) -> int:
        """Queue failed steps of calls again; returns how many were queued. Raises StoreError."""
        queued = 0
        async with self._alone():
            for task in STEP_TASKS.values():
                jobs = await self._engine.job_manager.list_jobs_async(
                    task=task.value, status=Status.FAILED.value
                )
                queued += sum([await self._again(job) for job in jobs])
        if queued:
            _log.warning("failed jobs queued again", jobs=queued)
        return queued

    async def _dead(self) -> set[int]:
        """Ids of dead workers with jobs under way; `_NO_WORKER` when jobs have none at all."""
        with store_errors():
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(_DEAD.encode())).fetchall()
        return {row[0] for row in rows}

    async def _recover(self, workers: set[int]) -> int:
        async with self._alone():
            # Asked again behind the lock: another process may have been quicker.
            dead = workers & await self._dead()
            jobs = [job for job in await self._doing() if (job.worker_id or _NO_WORKER) in dead]
            await self._queue_again(jobs)
        return len(jobs)

    async def _queue_again(self, jobs: Sequence[Job]) -> None:
        queued = []
        for job in jobs:
            queued.append(await self._again(job))
            if not queued[-1]:  # the other one waits for this one's lock
                await self._engine.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        if queued:
            _log.warning("lost jobs recovered", jobs=len(queued), queued=sum(queued))

    async def _doing(self) -> Iterable[Job]:
        doing: Iterable[Job] = await self._engine.job_manager.list_jobs_async(
            status=Status.DOING.value
        )
        return doing

    async def _again(self, job: Job) -> bool:
        """Queue the job again; False when a job with its key waits already."""
        try:
            await self._engine.job_manager.retry_job(job)
        except engine_errors.UniqueViolation:
            return False
        return True

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One process at a time: of two that find the same job the second would fail on it."""
        async with self._errors(), advisory_lock(self._pool, "jobs-recovery"):
            yield

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except (engine_errors.ConnectorException, psycopg.OperationalError) as error:
            raise StoreError("Очередь заданий недоступна: проверьте PostgreSQL") from error
