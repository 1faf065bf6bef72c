"""How the job engine stands: depths, waits and workers, read from its own tables.

Statements take milliseconds with 100,000 waiting jobs: one pass over the jobs, and one event per
queue instead of one per job.
"""

from dataclasses import dataclass
from typing import Any

from medai.infra.jobs import SCHEMA
from medai.infra.postgres import Pool, store_errors

SILENT_SECONDS = 10.0
"""Workers report every 2 s (`worker/recovery.py`); after five missed reports one counts as dead."""

_DEPTHS = f"""
SELECT queue_name, status::text, count(*),
       count(*) FILTER (WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())),
       min(id) FILTER (WHERE status = 'todo' AND scheduled_at IS NULL),
       extract(epoch FROM now() - min(scheduled_at) FILTER (
           WHERE status = 'todo' AND scheduled_at <= now()))::float8
FROM {SCHEMA}.procrastinate_jobs GROUP BY queue_name, status
"""  # noqa: S608 - the schema is ours
_DEFERRED = f"""
SELECT job_id, extract(epoch FROM now() - min(at))::float8
FROM {SCHEMA}.procrastinate_events WHERE job_id = ANY(%s) AND type = 'deferred' GROUP BY job_id
"""  # noqa: S608
_WORKERS = f"""
SELECT count(*) FILTER (WHERE last_heartbeat > now() - %(silent)s * interval '1 second'),
       count(*) FILTER (WHERE last_heartbeat <= now() - %(silent)s * interval '1 second'),
       (SELECT count(*) FROM {SCHEMA}.procrastinate_jobs job
        LEFT JOIN {SCHEMA}.procrastinate_workers worker ON worker.id = job.worker_id
        WHERE job.status = 'doing' AND (worker.id IS NULL OR
              worker.last_heartbeat <= now() - %(silent)s * interval '1 second'))
FROM {SCHEMA}.procrastinate_workers
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """One queue. `jobs` by the engine's status; `oldest_due_seconds` None: nothing is due."""

    queue: str
    jobs: dict[str, int]
    due: int
    oldest_due_seconds: float | None


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """Workers by their last report, and jobs that no living worker carries."""

    alive: int
    silent: int
    stalled_jobs: int


async def queue_figures(pool: Pool) -> list[QueueFigures]:
    """Every queue that holds jobs, by name. Raises StoreError."""
    with store_errors():
        async with pool.connection() as connection:
            rows = await (await connection.execute(_DEPTHS.encode())).fetchall()
            first_ids = [row[4] for row in rows if row[4] is not None]
            events = await connection.execute(_DEFERRED.encode(), [first_ids])
            deferred: dict[int, float] = {row[0]: row[1] for row in await events.fetchall()}
    return [
        _figures(queue, [row for row in rows if row[0] == queue], deferred)
        for queue in sorted({row[0] for row in rows})
    ]


async def worker_figures(pool: Pool, silent_seconds: float = SILENT_SECONDS) -> WorkerFigures:
    """Workers of the whole fleet. Raises StoreError."""
    with store_errors():
        async with pool.connection() as connection:
            found = await connection.execute(_WORKERS.encode(), {"silent": silent_seconds})
            row = await found.fetchone() or (0, 0, 0)
    return WorkerFigures(*row)


async def has_worker(pool: Pool) -> bool:
    """Whether any worker of the fleet reported lately. Raises StoreError."""
    return (await worker_figures(pool)).alive > 0


def _figures(queue: str, rows: list[tuple[Any, ...]], deferred: dict[int, float]) -> QueueFigures:
    waits = [deferred[row[4]] for row in rows if row[4] in deferred]
    waits += [row[5] for row in rows if row[5] is not None]
    return QueueFigures(
        queue=queue,
        jobs={row[1]: row[2] for row in rows},
        due=sum(row[3] for row in rows),
        oldest_due_seconds=max(waits, default=None),
    )
