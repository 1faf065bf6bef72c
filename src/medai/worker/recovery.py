"""Jobs that were lost: back into the queue, or away when they are queued again already.

The engine leaves a killed worker's jobs under way for ever, and each keeps its lock: later jobs
of the same call would never start. And a step fails as a job only when a store refused to take
its outcome: the call tells nothing of it, so nobody would ask again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions as engine_errors
from procrastinate.jobs import Job, Status

from medai.errors import StoreError
from medai.infra.postgres import Pool, advisory_lock
from medai.processing.requests import STEP_TASKS

_log = structlog.get_logger(__name__)

_SILENT_SECONDS = 30.0
"""A worker reports every 10 s; after three missed reports it counts as dead."""
_LOOK_SECONDS = 10.0
_LOOKS_FOR_ONE_AT_FAILED = 30
"""Every five minutes: a job that fails again and again may be a mistake of ours."""


async def keep_recovering(engine: procrastinate.App, pool: Pool) -> None:
    """Look for jobs of dead workers every ten seconds, for failed ones more rarely; endless."""
    look = 0
    while True:
        try:
            await recover(engine, pool)
            if look % _LOOKS_FOR_ONE_AT_FAILED == 0:
                await repeat_failed(engine, pool)
            look += 1
        except StoreError:
            _log.warning("recovery of jobs postponed: the store is away")
        await asyncio.sleep(_LOOK_SECONDS)


async def recover(engine: procrastinate.App, pool: Pool) -> int:
    """Queue the jobs of dead workers again; returns how many were found. Raises StoreError."""
    async with _alone(pool):
        jobs = await engine.job_manager.get_stalled_jobs(seconds_since_heartbeat=_SILENT_SECONDS)
        queued = []
        for job in jobs:
            queued.append(await _again(engine, job))
            if not queued[-1]:  # the other one waits for this one's lock
                await engine.job_manager.finish_job(job, Status.FAILED, delete_job=True)
    if queued:
        _log.warning("jobs of dead workers recovered", jobs=len(queued), queued=sum(queued))
    return len(queued)


async def repeat_failed(engine: procrastinate.App, pool: Pool) -> int:
    """Queue failed steps of calls again; returns how many were queued. Raises StoreError."""
    queued = 0
    async with _alone(pool):
        for task in STEP_TASKS.values():
            jobs = await engine.job_manager.list_jobs_async(task=task.value, status="failed")
            for job in jobs:
                queued += await _again(engine, job)
    if queued:
        _log.warning("failed jobs queued again", jobs=queued)
    return queued


async def _again(engine: procrastinate.App, job: Job) -> bool:
    """Queue the job again; False when a job with its key waits already."""
    try:
        await engine.job_manager.retry_job(job)
    except engine_errors.UniqueViolation:
        return False
    return True


@asynccontextmanager
async def _alone(pool: Pool) -> AsyncIterator[None]:
    """One process at a time: of two that find the same job the second would fail on it."""
    try:
        async with advisory_lock(pool, "jobs-recovery"):
            yield
    except (engine_errors.ConnectorException, psycopg.OperationalError) as error:
        raise StoreError("Очередь заданий недоступна: проверьте PostgreSQL") from error
