"""A worker lives as long as its process, however late its heartbeat is."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import psycopg
from tests.fixtures.clinic_at_work import ClinicAtWork

from medai.calls.models import Step
from medai.processing.ports import Task
from medai.processing.requests import step_job
from medai.worker.lifeline import Lifeline
from medai.worker.recovery import Recovery

NOTE = 1000004


async def _worker_with_a_late_heartbeat(at_work: ClinicAtWork) -> int:
    await at_work.sync()
    await at_work.app.jobs.defer(step_job(await at_work.wanted(NOTE), Step.RECORDING))
    manager = at_work.app.engine.job_manager
    worker = await manager.register_worker()
    assert await manager.fetch_job(queues=[Task.FETCH.queue], worker_id=worker) is not None
    async with at_work.app.pool.connection() as connection:
        await connection.execute(
            "UPDATE jobs.procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"
        )
    return int(worker)


async def _looked(at_work: ClinicAtWork) -> int:
    recovery = Recovery(at_work.app.engine, at_work.app.pool)
    return sum([await recovery.look() for _ in range(3)])


async def _held(at_work: ClinicAtWork) -> int:
    async with at_work.app.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND a.application_name = 'medai-worker'"
        )
        row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _until(at_work: ClinicAtWork, count: int) -> None:
    async with asyncio.timeout(20):
        while True:
            if await _held(at_work) == count:
                return
            await asyncio.sleep(0.05)


async def _given_up(at_work: ClinicAtWork, worker: int) -> None:
    """Wait until nobody holds the lock of the worker."""
    query = (
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
        " AND classid::bigint = hashtext('medai-worker')::bigint & 4294967295 AND objid = %s"
    )
    async with asyncio.timeout(20), at_work.app.pool.connection() as connection:
        while True:
            if await (await connection.execute(query, [worker])).fetchone() is None:
                return
            await asyncio.sleep(0.05)


async def test_only_the_end_of_the_process_counts(at_work: ClinicAtWork) -> None:
    worker: Any = SimpleNamespace(worker_id=await _worker_with_a_late_heartbeat(at_work))
    keeping = asyncio.create_task(Lifeline(at_work.app.pool, [worker]).keep())
    await _until(at_work, 1)
    assert await _looked(at_work) == 0

    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    await _until(at_work, 0)
    assert await _looked(at_work) == 1


async def test_the_lifeline_comes_back_after_the_server(at_work: ClinicAtWork) -> None:
    worker: Any = SimpleNamespace(worker_id=await _worker_with_a_late_heartbeat(at_work))
    keeping = asyncio.create_task(Lifeline(at_work.app.pool, [worker]).keep())
    await _until(at_work, 1)

    with psycopg.connect(str(at_work.app.pool.conninfo), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'medai-worker'"
        )
    await _until(at_work, 0)
    await _until(at_work, 1)

    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_a_worker_that_starts_again_leaves_its_former_jobs(at_work: ClinicAtWork) -> None:
    """Under another id: the lock of the former one would keep its jobs under way for ever."""
    former = await _worker_with_a_late_heartbeat(at_work)
    worker: Any = SimpleNamespace(worker_id=former)
    keeping = asyncio.create_task(Lifeline(at_work.app.pool, [worker]).keep())
    await _until(at_work, 1)

    worker.worker_id = await at_work.app.engine.job_manager.register_worker()
    await _given_up(at_work, former)
    assert await _held(at_work) == 1
    assert await _looked(at_work) == 1

    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
