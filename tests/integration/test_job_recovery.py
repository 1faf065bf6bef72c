"""A killed process takes no work with it: its jobs come back, and nothing waits for its locks."""

import asyncio
from types import SimpleNamespace
from typing import Any

from procrastinate import jobs
from procrastinate.jobs import Status
from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.calls.models import Call, Step
from medai.cli.working import work_until_settled
from medai.processing.ports import Job, Task
from medai.processing.requests import Progress, step_job
from medai.worker.recovery import Recovery

NOTE = 1000004
FETCH = Task.FETCH


async def _started(at_work: ClinicAtWork, call: Call, *, dead: bool) -> tuple[int, jobs.Job]:
    """A job of the call under way, in a worker that lives or was killed two minutes ago.

    Returns the worker's id and the engine's job.
    """
    await at_work.app.jobs.defer(step_job(call, Step.RECORDING))
    manager = at_work.app.engine.job_manager
    worker = await manager.register_worker()
    job = await manager.fetch_job(queues=[FETCH.queue], worker_id=worker)
    assert job is not None
    if dead:
        async with at_work.app.pool.connection() as connection:
            await connection.execute(
                "UPDATE jobs.procrastinate_workers"
                " SET last_heartbeat = now() - interval '2 minutes' WHERE id = %s",
                [worker],
            )
    return int(worker), job


def _recovery(at_work: ClinicAtWork) -> Recovery:
    return Recovery(at_work.app.engine, at_work.app.pool)


async def _recovered(at_work: ClinicAtWork) -> int:
    """How many jobs a process finds that looks twice."""
    recovery = _recovery(at_work)
    assert await recovery.look() == 0
    return await recovery.look()


async def _statuses(at_work: ClinicAtWork) -> list[str]:
    query = "SELECT status::text FROM jobs.procrastinate_jobs WHERE task_name = %s ORDER BY id"
    async with at_work.app.pool.connection() as connection:
        rows = await (await connection.execute(query, [FETCH.value])).fetchall()
    return [row[0] for row in rows]


async def test_a_dead_worker_job_is_queued_again(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await _started(at_work, await at_work.wanted(NOTE), dead=True)
    assert await _statuses(at_work) == ["doing"]
    assert await _recovered(at_work) == 1
    assert await _statuses(at_work) == ["todo"]
    assert await _recovered(at_work) == 0


async def test_a_job_asked_for_again_meanwhile_takes_its_place(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    call = await at_work.wanted(NOTE)
    await _started(at_work, call, dead=True)
    assert await at_work.app.jobs.defer(step_job(call, Step.RECORDING))
    assert await _recovered(at_work) == 1
    assert await _statuses(at_work) == ["todo"]


async def test_a_living_worker_keeps_its_job(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await _started(at_work, await at_work.wanted(NOTE), dead=False)
    assert await _recovered(at_work) == 0
    assert await _statuses(at_work) == ["doing"]


async def test_a_job_whose_end_was_not_written_down_is_queued_again(
    at_work: ClinicAtWork,
) -> None:
    """Its worker lives on, but no longer carries it out."""
    await at_work.sync()
    number, job = await _started(at_work, await at_work.wanted(NOTE), dead=False)
    carried_out: dict[str, Any] = {"task": SimpleNamespace(job=job)}
    worker: Any = SimpleNamespace(worker_id=number, _running_jobs=carried_out)
    recovery = Recovery(at_work.app.engine, at_work.app.pool, [worker])
    assert [await recovery.look_at_own() for _ in range(2)] == [0, 0]

    carried_out.clear()
    assert [await recovery.look_at_own() for _ in range(3)] == [0, 1, 0]
    assert await _statuses(at_work) == ["todo"]


async def test_two_recover_at_once(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await _started(at_work, await at_work.wanted(NOTE), dead=True)
    found = await asyncio.gather(*(_recovered(at_work) for _ in range(2)))
    assert sorted(found) == [0, 1]


async def test_a_step_that_a_store_refused_is_repeated(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    call = await at_work.wanted(NOTE)
    manager = at_work.app.engine.job_manager
    await at_work.app.jobs.defer(step_job(call, Step.RECORDING))
    job = await manager.fetch_job(queues=[FETCH.queue], worker_id=await manager.register_worker())
    assert job is not None
    await manager.finish_job(job, Status.FAILED, delete_job=False)
    assert await _recovery(at_work).repeat_failed() == 1
    assert await _statuses(at_work) == ["todo"]


async def test_a_failed_sync_is_its_askers_business(at_work: ClinicAtWork) -> None:
    manager = at_work.app.engine.job_manager
    await at_work.app.jobs.defer(Job(Task.SYNC, {}, key="sync", lock="sync"))
    job = await manager.fetch_job(queues=["sync"], worker_id=await manager.register_worker())
    assert job is not None
    await manager.finish_job(job, Status.FAILED, delete_job=False)
    assert await _recovery(at_work).repeat_failed() == 0


async def test_workers_finish_what_a_dead_one_began(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await _started(at_work, await at_work.wanted(NOTE), dead=True)
    async with asyncio.timeout(60):
        await work_until_settled(at_work.app, [at_work.client_id], TODAY, _silent)
    call = await at_work.call(NOTE)
    assert call.transcript is not None
    assert call.analysis is not None


def _silent(_progress: Progress) -> None:
    """Nobody looks."""
