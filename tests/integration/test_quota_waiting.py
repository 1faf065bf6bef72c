"""Calls that wait for minutes: woken by a person's change, freed when others give up."""

from datetime import timedelta

from tests.fixtures.clinic_at_work import EVENING, TODAY, ClinicAtWork

from medai.calls.life import transcription_status
from medai.calls.models import Step
from medai.clinics.models import MinuteLimits
from medai.kit.ids import call_id

WAITING = "limit_exceeded"


async def recorded(at_work: ClinicAtWork) -> list[int]:
    """Note ids of calls with a stored recording that want to be transcribed."""
    await at_work.sync()
    found = [call async for call in at_work.app.calls.of_days(at_work.client_id, TODAY)]
    notes = [int(c.note_id) for c in found if c.skip_reason is None and c.recording_url][:4]
    for note in notes:
        await at_work.wanted(note)
        await at_work.run(note, Step.RECORDING)
    return [note for note in notes if (await at_work.call(note)).audio]


async def test_added_minutes_let_waiting_calls_go_on_at_once(at_work: ClinicAtWork) -> None:
    notes = await recorded(at_work)
    assert len(notes) >= 2
    await at_work.clinic(limits=MinuteLimits(weekly_seconds=0))
    for note in notes:
        call = await at_work.run(note, Step.TRANSCRIPTION)
        assert transcription_status(call) == WAITING
    async with at_work.app.pool.connection() as connection:
        await connection.execute("TRUNCATE jobs.procrastinate_jobs CASCADE")

    changed = await at_work.app.limit_changes.add(at_work.client_id, week_seconds=100_000)

    assert changed.woken == len(notes)
    queued = sorted(await at_work.jobs("transcribe_call"))
    keys = sorted(f"transcription:{call_id(at_work.client_id, note)}" for note in notes)
    assert queued == [(key, None) for key in keys]
    for note in notes:
        assert (await at_work.run(note, Step.TRANSCRIPTION)).transcript is not None
    again = await at_work.app.limit_changes.add(at_work.client_id, week_seconds=1)
    assert again.woken == 0


async def test_too_few_minutes_wake_and_wait_again_at_no_cost(at_work: ClinicAtWork) -> None:
    note, *_ = await recorded(at_work)
    await at_work.clinic(limits=MinuteLimits(weekly_seconds=0))
    before = await at_work.run(note, Step.TRANSCRIPTION)
    assert (await at_work.app.limit_changes.add(at_work.client_id, week_seconds=1)).woken == 1
    after = await at_work.run(note, Step.TRANSCRIPTION)
    waits = [each.failures[Step.TRANSCRIPTION] for each in (before, after)]
    assert [each.code for each in waits] == [WAITING] * 2
    assert waits[0].next_try_at == waits[1].next_try_at
    assert at_work.sandbox.control.bill()["stt_paid"] == 0


async def test_another_clinic_is_not_woken(at_work: ClinicAtWork) -> None:
    note, *_ = await recorded(at_work)
    await at_work.clinic(limits=MinuteLimits(weekly_seconds=0))
    await at_work.run(note, Step.TRANSCRIPTION)
    assert await at_work.app.requests.wake_quota("another clinic") == 0
    failure = (await at_work.call(note)).failures[Step.TRANSCRIPTION]
    assert failure.next_try_at is not None
    assert failure.next_try_at > EVENING


async def test_minutes_that_somebody_only_holds_are_waited_for_shortly(
    at_work: ClinicAtWork,
) -> None:
    note, *_ = await recorded(at_work)
    seconds = (await at_work.call(note)).audio
    assert seconds is not None
    await at_work.clinic(limits=MinuteLimits(weekly_seconds=1000))
    await at_work.app.limits.reserve(at_work.client_id, "somebody", 1000)
    failure = (await at_work.run(note, Step.TRANSCRIPTION)).failures[Step.TRANSCRIPTION]
    assert failure.next_try_at == EVENING + timedelta(minutes=10)
    await at_work.app.limits.give_up(at_work.client_id, "somebody")
    at_work.clock.now = failure.next_try_at
    assert (await at_work.run(note, Step.TRANSCRIPTION)).transcript is not None


async def test_minutes_of_a_call_whose_worker_died_come_back(at_work: ClinicAtWork) -> None:
    due, failed, *_ = await recorded(at_work)
    at_work.sandbox.control.fail("elevenlabs", "rate_limit_json")
    await at_work.run(failed, Step.TRANSCRIPTION)  # waits for its next try and holds nothing
    held = {note: call_id(at_work.client_id, note) for note in (due, failed)}
    for identity in (*held.values(), "deleted"):  # as if killed before giving up
        await at_work.app.limits.reserve(at_work.client_id, identity, 60)
    free = at_work.app.abandoned_minutes.free
    assert await free() == 0  # an hour has not passed: somebody may be at work
    at_work.clock.now = EVENING + timedelta(hours=1, seconds=1)
    wait = {"failures.transcription.next_try_at": at_work.clock.now + timedelta(hours=1)}
    await at_work.app.calls.change(held[failed], wait)
    assert await free() == 2
    assert list((await at_work.clinic()).limits.reservations) == [held[due]]
