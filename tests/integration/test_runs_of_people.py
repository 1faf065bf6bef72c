"""Runs that people ask for: counted from calls, cancelled between steps, fair to each other."""

from typing import Any

import pytest
from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.calls.life import analyze_status, due_steps, transcription_status
from medai.calls.models import Step
from medai.errors import ConflictError, NotFoundError
from medai.processing.ports import Job, Task
from medai.processing.requests import WorkRequests

NOTE = 1000004
DAYS = ("19.11.2026", "19.11.2026")


async def test_a_run_is_counted_from_its_calls(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    asked = await at_work.app.asked.transcription(at_work.client_id, *DAYS)
    view = await at_work.app.run_book.look(asked.run_id)
    assert view.run.state == "running"
    assert view.progress.total == view.run.wanted == asked.queued > 0
    await at_work.run(NOTE, Step.RECORDING, Step.TRANSCRIPTION, Step.NOTE)
    view = await at_work.app.run_book.look(asked.run_id)
    assert (view.progress.settled, view.progress.transcribed) == (1, 1)


async def test_a_run_without_work_is_complete(at_work: ClinicAtWork) -> None:
    asked = await at_work.app.asked.analysis(None, *DAYS)
    assert (await at_work.app.run_book.look(asked.run_id)).run.state == "completed"
    with pytest.raises(ConflictError):
        await at_work.app.run_book.cancel(asked.run_id)
    with pytest.raises(NotFoundError):
        await at_work.app.run_book.look("unknown")


async def test_whoever_looks_while_calls_are_being_asked_for_does_not_end_the_run(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_work.sync()
    place, seen = WorkRequests._place, []

    async def looked_at(self: WorkRequests, order: Any) -> int:
        seen.extend(await at_work.app.run_book.newest())
        return await place(self, order)

    monkeypatch.setattr(WorkRequests, "_place", looked_at)
    asked = await at_work.app.asked.transcription(at_work.client_id, *DAYS)
    run = (await at_work.app.run_book.look(asked.run_id)).run
    assert [one.state for one in seen] == ["running"]
    assert (run.state, run.wanted, run.statistics) == ("running", asked.queued, {})


async def test_after_a_cancel_nothing_further_starts(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    asked = await at_work.app.asked.everything(at_work.client_id, *DAYS)
    await at_work.run(NOTE, Step.RECORDING, Step.TRANSCRIPTION)
    view = await at_work.app.run_book.cancel(asked.run_id)
    assert view.run.state == "cancelled"
    paid = at_work.sandbox.control.bill()
    found = [call async for call in at_work.app.calls.of_days(at_work.client_id, TODAY)]
    assert [due_steps(call, at_work.clock()) for call in found] == [()] * len(found)
    half_done = await at_work.run(NOTE, Step.NOTE, Step.ANALYSIS)  # jobs that were queued before
    assert (half_done.crm_note, half_done.analysis) == (None, None)
    assert {transcription_status(c) for c in found} == {"pending", "success"}
    assert {analyze_status(c) for c in found} == {"pending"}  # nobody polls for ever
    assert await at_work.app.sweeps.queue_due() == 0
    assert await at_work.app.requests.newcomers(at_work.client_id, TODAY, run_id="poll") == 0
    bill = at_work.sandbox.control.bill()
    assert (bill["stt_paid"], bill["llm_requests_by_kind"]) == (
        paid["stt_paid"], paid["llm_requests_by_kind"],
    )  # fmt: skip
    state = await at_work.app.limits.state(at_work.client_id)
    assert state.month.held_seconds == 0
    again = await at_work.app.asked.everything(at_work.client_id, *DAYS)
    assert again.queued > 0
    assert due_steps(await at_work.call(NOTE), at_work.clock()) == (Step.NOTE, Step.ANALYSIS)


async def test_a_cancelled_sync_does_not_begin(at_work: ClinicAtWork) -> None:
    run_id = await at_work.app.asked.sync(at_work.client_id, *DAYS)
    await at_work.app.run_book.cancel(run_id)
    await at_work.app.phases.sync(run_id)
    assert await at_work.documents() == []


async def test_a_small_request_does_not_wait_for_a_large_one(at_work: ClinicAtWork) -> None:
    """2,000 recognitions of another clinic are queued; five that come later are among the first."""
    await at_work.app.jobs.defer_many([_recognition("large", place) for place in range(2000)])
    await at_work.app.jobs.defer_many([_recognition("small", place) for place in range(5)])
    worker_id = await at_work.app.engine.job_manager.register_worker()
    fetched = []
    for _ in range(10):
        manager = at_work.app.engine.job_manager
        job = await manager.fetch_job(queues=["transcription"], worker_id=worker_id)
        assert job is not None
        fetched.append(str(job.task_kwargs["call_id"]))
    assert {name for name in fetched if name.startswith("small")} == {
        f"small-{place}" for place in range(5)
    }


async def test_the_place_in_a_request_stays_with_the_call(at_work: ClinicAtWork) -> None:
    """Downloads are quicker than recognitions: without it the second queue would be first come."""
    await at_work.sync()
    call = await at_work.wanted(NOTE)
    await at_work.app.pipeline.run(Step.RECORDING, call.id, priority=-7)
    query = "SELECT priority FROM jobs.procrastinate_jobs WHERE task_name = 'transcribe_call'"
    async with at_work.app.pool.connection() as connection:
        rows = await (await connection.execute(query)).fetchall()
    assert rows == [(-7,)]


def _recognition(clinic: str, place: int) -> Job:
    call_id = f"{clinic}-{place}"
    return Job(Task.TRANSCRIBE, {"call_id": call_id}, key=call_id, lock=call_id, priority=-place)
