"""The queue: one job per key, and a person is never kept waiting by a repetition."""

from datetime import UTC, datetime, timedelta

from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.calls.models import Step
from medai.processing.requests import step_job

NOTE = 1000004


async def test_a_key_is_queued_once(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    call = await at_work.wanted(NOTE)
    jobs = at_work.app.jobs
    assert await jobs.defer(step_job(call, Step.RECORDING))
    assert not await jobs.defer(step_job(call, Step.RECORDING, priority=-9))
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert await jobs.defer(step_job(call, Step.RECORDING, at=later))
    assert not await jobs.defer(step_job(call, Step.RECORDING, at=later))
    assert await jobs.defer(step_job(call, Step.NOTE))
    assert await at_work.jobs("fetch_recording") == [
        (f"recording:{call.id}", None),
        (f"recording:{call.id}@{later.isoformat()}", later),
    ]


async def test_asking_twice_queues_once(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    first = await at_work.app.requests.everything(at_work.client_id, TODAY)
    jobs = await at_work.jobs("fetch_recording")
    assert await at_work.app.requests.everything(at_work.client_id, TODAY) == first
    assert await at_work.jobs("fetch_recording") == jobs
    assert 0 < len(jobs) <= first


async def test_a_person_does_not_wait_for_the_repetition(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(NOTE)
    at_work.sandbox.control.fail("recordings", "html_instead_of_audio")
    failed = await at_work.run(NOTE, Step.RECORDING)
    later = at_work.clock() + timedelta(minutes=1)
    assert [when for _, when in await at_work.jobs("fetch_recording")] == [later]
    await at_work.app.requests.retry(failed)
    assert None in [when for _, when in await at_work.jobs("fetch_recording")]
    assert (await at_work.call(NOTE)).failures == {}


async def test_each_step_queues_what_has_become_due(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(NOTE)
    call = await at_work.run(NOTE, Step.RECORDING)
    assert await at_work.jobs("transcribe_call") == [(f"transcription:{call.id}", None)]
    await at_work.run(NOTE, Step.TRANSCRIPTION)
    assert await at_work.jobs("write_note") == [(f"note:{call.id}", None)]
    assert await at_work.jobs("analyse_call") == [(f"analysis:{call.id}", None)]


async def test_calls_of_one_request_go_in_turn(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.app.requests.transcription(at_work.client_id, TODAY)
    query = (
        "SELECT priority FROM jobs.procrastinate_jobs WHERE task_name = 'fetch_recording'"
        " ORDER BY id"
    )
    async with at_work.app.pool.connection() as connection:
        rows = await (await connection.execute(query)).fetchall()
    assert [row[0] for row in rows] == [-place for place in range(len(rows))]
