"""Jobs of processes that died: back into the queue, or away when they are queued again already.

The engine leaves a killed worker's jobs under way for ever, and each keeps its lock: later jobs
of the same call would never start.
"""

import asyncio

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions as engine_errors
from procrastinate.jobs import Job, Status

from medai.errors import StoreError
from medai.infra.postgres import Pool, advisory_lock

_log = structlog.get_logger(__name__)

_SILENT_SECONDS = 30.0
"""A worker reports every 10 s; after three missed reports it counts as dead."""
_LOOK_SECONDS = 10.0


async def keep_recovering(engine: procrastinate.App, pool: Pool) -> None:
    """Look for jobs of dead workers every ten seconds until cancelled."""
    while True:
        try:
            await recover(engine, pool)
        except StoreError:
            _log.warning("recovery of jobs postponed: the store is away")
        await asyncio.sleep(_LOOK_SECONDS)


async def recover(engine: procrastinate.App, pool: Pool) -> int:
    """Queue the jobs of dead workers again; returns how many were found. Raises StoreError."""
    try:
        # One at a time: of two that find the same job the second would fail on it.
        async with advisory_lock(pool, "jobs-recovery"):
            jobs = await engine.job_manager.get_stalled_jobs(
                seconds_since_heartbeat=_SILENT_SECONDS
            )
            counted = [await _again(engine, job) for job in jobs]
    except (engine_errors.ConnectorException, psycopg.OperationalError) as error:
        raise StoreError("Очередь заданий недоступна: проверьте PostgreSQL") from error
    if counted:
        _log.warning("jobs of dead workers recovered", jobs=len(counted), queued=sum(counted))
    return len(counted)


async def _again(engine: procrastinate.App, job: Job) -> bool:
    """Queue the job again; False when a job with its key waits already, for this one's lock."""
    try:
        await engine.job_manager.retry_job(job)
    except engine_errors.UniqueViolation:
        await engine.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        return False
    return True
