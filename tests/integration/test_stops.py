"""A provider that says stop is asked by one call, not by all; when it works again, all go on."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.clinic_at_work import EVENING, TODAY, ClinicAtWork
from tests.fixtures.service import doors_of

from medai.calls.life import due_steps
from medai.calls.models import Call, Step
from medai.calls.repository import CALLS
from medai.processing.stops import Stop, pause

TRANSCRIPTION = "transcription"


async def _stored(at_work: ClinicAtWork, count: int = 3) -> list[Call]:
    """Calls whose recordings are there; their transcription is due."""
    await at_work.sync()
    await at_work.app.requests.transcription(at_work.client_id, TODAY)
    calls: list[Call] = []
    async for call in at_work.app.calls.unfinished(TODAY.first):
        if len(calls) < count:
            calls.append(call)
    for call in calls:
        await at_work.app.pipeline.run(Step.RECORDING, call.id)
    return calls


async def _transcribe(at_work: ClinicAtWork, calls: list[Call]) -> list[Call]:
    for call in calls:
        await at_work.app.pipeline.run(Step.TRANSCRIPTION, call.id)
    return [found for call in calls if (found := await at_work.app.calls.get(call.id))]


async def _standing(at_work: ClinicAtWork) -> list[Stop]:
    return [stop async for stop in at_work.app.stops.standing()]


def _requests(at_work: ClinicAtWork) -> int:
    """Faults of ElevenLabs that are still to come: each request uses one up."""
    pending = at_work.sandbox.control.pending_faults()["elevenlabs"]
    return sum(fault["times"] for fault in pending)


async def test_the_first_refusal_spares_the_others(at_work: ClinicAtWork) -> None:
    calls = await _stored(at_work)
    at_work.sandbox.control.fail("elevenlabs", "payment_required", times=9)

    waiting = await _transcribe(at_work, calls)

    assert _requests(at_work) == 8
    (stop,) = await _standing(at_work)
    assert (stop.provider, stop.client_id, stop.code) == ("elevenlabs", None, "provider_stopped")
    for call in waiting:
        failure = call.failures[Step.TRANSCRIPTION]
        assert (failure.code, failure.message) == ("provider_stopped", stop.message)
        assert failure.attempts == 0
        assert failure.next_try_at is not None
    assert (await at_work.clinic()).limits.reservations == {}


async def test_one_call_tries_and_then_all_go_on(at_work: ClinicAtWork) -> None:
    calls = await _stored(at_work)
    at_work.sandbox.control.fail("elevenlabs", "payment_required", times=2)
    await _transcribe(at_work, calls)
    assert await at_work.app.sweeps.try_stopped() == 0

    at_work.clock.now += timedelta(minutes=1, seconds=1)
    assert await at_work.app.sweeps.try_stopped() == 1
    await _transcribe(at_work, calls)
    assert _requests(at_work) == 0
    assert len(await _standing(at_work)) == 1

    at_work.clock.now += timedelta(minutes=2)
    assert await at_work.app.sweeps.try_stopped() == 1
    done = await _transcribe(at_work, calls)

    assert await _standing(at_work) == []
    done = await _transcribe(at_work, done)
    assert [call.failures for call in done] == [{}, {}, {}]
    assert all(call.transcript is not None for call in done)
    assert at_work.sandbox.control.bill()["stt_paid"] == 3


async def test_whoever_watches_never_sees_only_calls_that_wait(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a command ends with "they wait" between the trial and its good news."""
    app, seen = at_work.app, list[bool]()
    calls = await _stored(at_work)
    at_work.sandbox.control.fail("elevenlabs", "payment_required")
    trial, *_ = await _transcribe(at_work, calls)
    await app.stops.try_soon(at_work.client_id)
    await app.requests.retry(trial)
    resume = app.sweeps.resume

    async def watched(stop_id: str) -> int:
        stored = await app.calls.get(trial.id)
        seen.append(stored is not None and Step.TRANSCRIPTION in due_steps(stored, at_work.clock()))
        return await resume(stop_id)

    monkeypatch.setattr(app.sweeps, "resume", watched)
    await _transcribe(at_work, [trial])

    assert seen == [True]


async def test_a_persons_request_is_tried_at_once(at_work: ClinicAtWork) -> None:
    calls = await _stored(at_work, 1)
    at_work.sandbox.control.fail("elevenlabs", "bad_key")
    (call,) = await _transcribe(at_work, calls)

    await at_work.app.stops.try_soon(at_work.client_id)
    await at_work.app.requests.retry(call)
    (done,) = await _transcribe(at_work, calls)

    assert done.transcript is not None
    assert await _standing(at_work) == []


async def test_a_trial_that_fails_otherwise_leaves_the_stop(at_work: ClinicAtWork) -> None:
    calls = await _stored(at_work, 2)
    control = at_work.sandbox.control
    control.fail("elevenlabs", "quota")
    control.fail("elevenlabs", "server_error")
    await _transcribe(at_work, calls)

    at_work.clock.now += timedelta(minutes=2)
    await at_work.app.sweeps.try_stopped()
    tried = await _transcribe(at_work, calls)

    codes = {call.failures[Step.TRANSCRIPTION].code for call in tried}
    assert codes == {"provider_unavailable", "provider_stopped"}
    (stop,) = await _standing(at_work)
    assert at_work.clock() < stop.next_trial_at <= at_work.clock() + timedelta(minutes=15)


async def test_a_stop_that_nobody_waits_for_goes(at_work: ClinicAtWork) -> None:
    calls = await _stored(at_work, 1)
    at_work.sandbox.control.fail("elevenlabs", "payment_required")
    await _transcribe(at_work, calls)
    await at_work.app.documents.delete(CALLS, {"_id": calls[0].id})

    at_work.clock.now += timedelta(minutes=2)
    assert await at_work.app.sweeps.try_stopped() == 0
    assert await _standing(at_work) == []


async def test_one_crm_stops_its_own_clinic_only(at_work: ClinicAtWork) -> None:
    calls = await _transcribe(at_work, await _stored(at_work, 1))
    at_work.sandbox.control.fail("amocrm", "payment_required", match="/notes")
    await at_work.app.pipeline.run(Step.NOTE, calls[0].id)

    (stop,) = await _standing(at_work)

    assert (stop.provider, stop.client_id) == ("amocrm", at_work.client_id)
    await at_work.app.pipeline.run(Step.TRANSCRIPTION, calls[0].id)


async def test_people_see_the_reason_and_may_try(at_work: ClinicAtWork) -> None:
    calls = await _stored(at_work, 1)
    at_work.sandbox.control.fail("elevenlabs", "payment_required")
    await _transcribe(at_work, calls)

    async with doors_of(at_work.app) as doors:
        refused = await doors.stranger.get("/api/stops")
        seen = (await doors.owner.get("/api/stops")).json()["stops"]
        tried = (await doors.owner.post("/api/stops/try")).json()["stops"]

    assert refused.status_code == 401
    assert [(one["provider"], one["client_id"]) for one in seen] == [("elevenlabs", None)]
    assert "ElevenLabs" in seen[0]["message"]
    assert tried[0]["next_trial_at"] < seen[0]["next_trial_at"]
    (done,) = await _transcribe(at_work, calls)
    assert done.transcript is not None


@given(st.integers(0, 10**7), st.integers(0, 10**6))
def test_the_longer_it_lasts_the_rarer_it_is_tried(age: int, later: int) -> None:
    first, second = timedelta(seconds=age), timedelta(seconds=age + later)
    pauses = [pause(EVENING, EVENING + one) for one in (first, second)]
    assert timedelta(minutes=1) <= pauses[0] <= pauses[1] <= timedelta(minutes=15)
