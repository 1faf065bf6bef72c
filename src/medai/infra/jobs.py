"""The job engine: procrastinate in a PostgreSQL schema of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
import psycopg
from procrastinate import exceptions as engine_errors
from procrastinate.jobs import Job

from medai.errors import StoreError
from medai.infra.postgres import Pool, advisory_lock, store_errors
from medai.kit.chunks import chunks

SCHEMA = "jobs"
_BATCH = 500
"""Jobs in one statement."""
# The engine asks for jobs with the same lock at every fetch and has no index that begins with it.
# Fetching one of 20,000 jobs takes 0.7 ms with it and 1.1 without (benchmarks/volume.py).
_LOCK_INDEX = f"""
CREATE INDEX IF NOT EXISTS medai_jobs_lock ON {SCHEMA}.procrastinate_jobs (lock)
WHERE status IN ('todo', 'doing')
"""
_READY = "(status = 'doing' OR scheduled_at IS NULL OR scheduled_at <= %(now)s)"
_BUSY = f"""
SELECT EXISTS (SELECT 1 FROM {SCHEMA}.procrastinate_jobs
WHERE status IN ('todo', 'doing') AND {_READY})
"""  # noqa: S608 - the schema is a constant
_PRESENT = f"""
SELECT DISTINCT lock FROM {SCHEMA}.procrastinate_jobs
WHERE lock = ANY(%(locks)s) AND status IN ('todo', 'doing')
AND {_READY}
"""  # noqa: S608 - the schema is a constant


_FORGET = f"""
DELETE FROM {SCHEMA}.procrastinate_jobs j
WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
AND NOT EXISTS (
    SELECT 1 FROM {SCHEMA}.procrastinate_events e WHERE e.job_id = j.id AND e.at >= %(before)s
)
"""  # noqa: S608 - the schema is a constant


async def forget_ended(pool: Pool, before: datetime) -> int:
    """Delete jobs that ended and saw no event since; returns how many. Raises StoreError."""
    with store_errors():
        async with pool.connection() as connection:
            return (await connection.execute(_FORGET.encode(), {"before": before})).rowcount


def create_engine(dsn: str) -> procrastinate.App:
    """The engine's application; open it with `async with engine.open_async()`."""
    connector = procrastinate.PsycopgConnector(
        conninfo=dsn, kwargs={"options": f"-c search_path={SCHEMA}"}, min_size=1, max_size=12
    )
    return procrastinate.App(connector=connector)


async def prepare_schema(engine: procrastinate.App, pool: Pool) -> None:
    """Create the engine's tables where they are missing; safe from many processes at once."""
    async with advisory_lock(pool, "jobs-schema"), pool.connection() as connection:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        cursor = await connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.procrastinate_jobs",)
        )
        row = await cursor.fetchone()
        if row is not None and not row[0]:
            await engine.schema_manager.apply_schema_async()
        await connection.execute(_LOCK_INDEX)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A job by its task's name. Two with one `key` are never queued twice, two with one `lock`
    never run at once; higher `priority` goes first; `at` is the earliest start."""

    task: str
    args: dict[str, Any]
    queue: str
    key: str
    lock: str
    priority: int = 0
    at: datetime | None = None


class JobQueue:
    """Defers jobs by task name, so that those who ask need not import those who work."""

    def __init__(self, engine: procrastinate.App, pool: Pool) -> None:
        self._engine = engine
        self._pool = pool

    async def defer(self, job: QueuedJob) -> bool:
        """Queue a job; False when one with this key is waiting. Raises StoreError."""
        return await self._deferred([job]) == 1

    async def defer_many(self, jobs: Sequence[QueuedJob]) -> int:
        """Queue jobs; returns how many were not waiting already. Raises StoreError."""
        queued = 0
        for part in chunks(jobs, _BATCH):
            queued += await self._deferred(part)
        return queued

    async def present(self, locks: Sequence[str], now: datetime) -> set[str]:
        """Which of the locks have a job that is under way or may start now. Raises StoreError."""
        with store_errors():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_PRESENT, {"locks": list(locks), "now": now})
                return {row[0] for row in await cursor.fetchall()}

    async def busy(self, now: datetime) -> bool:
        """Whether any job is under way or may start now. Raises StoreError."""
        with store_errors():
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_BUSY, {"now": now})).fetchone()
        return bool(row and row[0])

    async def _deferred(self, jobs: Sequence[QueuedJob]) -> int:
        """All in one statement; halves where one of them is waiting already."""
        if not jobs:
            return 0
        try:
            await self._engine.job_manager.batch_defer_jobs_async([_job(job) for job in jobs])
        except engine_errors.AlreadyEnqueued:
            if len(jobs) == 1:
                return 0
            middle = len(jobs) // 2
            return await self._deferred(jobs[:middle]) + await self._deferred(jobs[middle:])
        except (engine_errors.ConnectorException, psycopg.OperationalError) as error:
            raise StoreError("Очередь заданий недоступна: проверьте PostgreSQL") from error
        return len(jobs)


def _job(job: QueuedJob) -> Job:
    return Job(
        id=None,
        queue=job.queue,
        task_name=job.task,
        task_kwargs=job.args,
        lock=job.lock,
        queueing_lock=job.key,
        priority=job.priority,
        scheduled_at=job.at,
    )
