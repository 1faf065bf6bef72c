"""Whatever happened to the queue: what is due is queued again, once."""

from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.calls.models import Step

NOTE = 1000004


async def _emptied(at_work: ClinicAtWork) -> None:
    """The queue is lost, as after a restored dump."""
    async with at_work.app.pool.connection() as connection:
        await connection.execute("TRUNCATE jobs.procrastinate_jobs CASCADE")


async def test_due_calls_without_a_job_are_queued_once(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.app.requests.everything(at_work.client_id, TODAY)
    before = await at_work.jobs("fetch_recording")
    assert await at_work.app.sweeps.queue_due() == 0

    await _emptied(at_work)

    assert await at_work.app.sweeps.queue_due() == len(before) > 10
    assert await at_work.jobs("fetch_recording") == before
    assert await at_work.app.sweeps.queue_due() == 0


async def test_every_later_step_is_found(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    call = await at_work.wanted(NOTE)
    for step in (Step.RECORDING, Step.TRANSCRIPTION, Step.NOTE, Step.ANALYSIS):
        await _emptied(at_work)
        await at_work.app.sweeps.queue_due()
        async with at_work.app.pool.connection() as connection:
            cursor = await connection.execute("SELECT lock FROM jobs.procrastinate_jobs")
            locks = {row[0] for row in await cursor.fetchall()}
        assert f"{step}:{call.id}" in locks
        await at_work.run(NOTE, step)
    await _emptied(at_work)
    assert await at_work.app.sweeps.queue_due() == 0


async def test_a_missing_note_of_an_analysed_call_is_found(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(NOTE)
    call = await at_work.run(NOTE, Step.RECORDING, Step.TRANSCRIPTION, Step.ANALYSIS)
    await _emptied(at_work)
    assert await at_work.app.sweeps.queue_due() == 1
    assert await at_work.jobs("write_note") == [(f"note:{call.id}", None)]


async def test_what_waits_for_its_time_is_left_alone(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(NOTE)
    at_work.sandbox.control.fail("recordings", "html_instead_of_audio")
    failed = await at_work.run(NOTE, Step.RECORDING)
    again = failed.failures[Step.RECORDING].next_try_at
    assert again is not None
    await _emptied(at_work)
    assert await at_work.app.sweeps.queue_due() == 0
    at_work.clock.now = again
    assert await at_work.app.sweeps.queue_due() == 1
