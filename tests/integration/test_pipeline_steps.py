"""Every failure of a step becomes words on the call and a next try; nothing is done twice."""

import math
from datetime import timedelta
from functools import partial

import pytest
from tests.fixtures.clinic_at_work import EVENING, TODAY, ClinicAtWork

from medai.calls.life import analyze_status, transcription_status
from medai.calls.models import Call, Stage, Step
from medai.clinics.models import MinuteLimits
from medai.datalens.days import EXPORT_DAYS
from medai.errors import ProviderAnswerError
from medai.processing.pipeline import Facts, StepAction
from medai.processing.ports import Task
from medai.transcription.formats import note_texts

NOTE = 1000004
"""An unbooked first call on a lead, 70 seconds, hours old."""
SECONDS = 70
"""Its audio, up to a whole second."""


async def ready(clinic: ClinicAtWork, *steps: Step, note_id: int = NOTE) -> Call:
    """The day synced, the call asked for and brought through some steps."""
    await clinic.sync()
    await clinic.wanted(note_id)
    return await clinic.run(note_id, *steps)


def replace(clinic: ClinicAtWork, step: Step, action: StepAction) -> None:
    """Put another action in a step's place."""
    clinic.app.pipeline._actions[step] = action


async def minutes(clinic: ClinicAtWork) -> tuple[int, int, int]:
    """Seconds used by month and week, and calls with a reservation."""
    limits = (await clinic.clinic()).limits
    return limits.month_used_seconds, limits.week_used_seconds, len(limits.reservations)


async def test_a_call_goes_all_the_way_and_leaves_no_reservation(at_work: ClinicAtWork) -> None:
    call = await ready(at_work, *Step)
    assert call.failures == {}
    assert (call.stage, transcription_status(call)) == (Stage.ANALYSED, "success")
    assert call.audio is not None
    used = math.ceil(call.audio.seconds)
    assert await minutes(at_work) == (used, used, 0)
    bill = at_work.sandbox.control.bill()
    again = await at_work.run(NOTE, *Step)
    assert again == call
    assert at_work.sandbox.control.bill() == bill


async def test_a_recording_that_is_gone_is_final(at_work: ClinicAtWork) -> None:
    at_work.sandbox.control.fail("recordings", "not_found")
    call = await ready(at_work, Step.RECORDING)
    failure = call.failures[Step.RECORDING]
    assert (failure.code, failure.next_try_at) == ("recording_unavailable", None)
    assert "\n" not in failure.message
    assert transcription_status(call) == "failed"
    # The audio is there now, but a job that comes late does not try on its own.
    assert (await at_work.run(NOTE, Step.RECORDING)).failures == call.failures
    await at_work.app.requests.retry(call)
    assert (await at_work.run(NOTE, Step.RECORDING)).audio is not None


async def test_a_recording_that_is_not_ready_follows_the_plan(at_work: ClinicAtWork) -> None:
    at_work.sandbox.control.fail("recordings", "html_instead_of_audio", times=0)
    call = await ready(at_work, Step.RECORDING)
    for minutes_later in (1, 5, 15, 60, 360):
        failure = call.failures[Step.RECORDING]
        assert failure.next_try_at == at_work.clock() + timedelta(minutes=minutes_later)
        at_work.clock.now = failure.next_try_at - timedelta(seconds=1)
        assert (await at_work.run(NOTE, Step.RECORDING)).failures == call.failures
        at_work.clock.now = failure.next_try_at
        call = await at_work.run(NOTE, Step.RECORDING)
    assert call.failures[Step.RECORDING].attempts == 6
    assert call.failures[Step.RECORDING].next_try_at is None


async def test_the_providers_own_wait_is_kept_and_costs_no_attempt(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("openai", "rate_limit_json", seconds=37)
    call = await at_work.run(NOTE, Step.ANALYSIS)
    failure = call.failures[Step.ANALYSIS]
    assert failure.code == "provider_rate_limited"
    assert failure.next_try_at == EVENING + timedelta(seconds=37)
    assert failure.attempts == 0
    assert analyze_status(call) == "processing"
    assert failure.next_try_at in [when for _, when in await at_work.jobs("analyse_call")]
    at_work.clock.now = failure.next_try_at
    done = await at_work.run(NOTE, Step.ANALYSIS)
    assert (done.analysis is not None, done.failures) == (True, {})


async def test_a_refused_recognition_holds_no_minutes(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING)
    at_work.sandbox.control.fail("elevenlabs", "rate_limit_json")
    call = await at_work.run(NOTE, Step.TRANSCRIPTION)
    assert call.failures[Step.TRANSCRIPTION].code == "provider_rate_limited"
    assert transcription_status(call) == "processing"
    assert await minutes(at_work) == (0, 0, 0)


async def test_a_spent_quota_waits_for_monday_and_costs_nothing(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING)
    spent = MinuteLimits(weekly_seconds=100, month="2026-11", month_used_seconds=60,
                         week="2026-W47", week_used_seconds=60)  # fmt: skip
    await at_work.clinic(limits=spent)
    call = await at_work.run(NOTE, Step.TRANSCRIPTION)
    failure = call.failures[Step.TRANSCRIPTION]
    monday = EVENING.replace(day=22, hour=21, minute=0)
    assert (failure.code, failure.next_try_at) == ("limit_exceeded", monday)
    assert transcription_status(call) == "limit_exceeded"
    assert at_work.sandbox.control.bill()["stt_paid"] == 0
    # Asking for everything again gives failures another chance, but no minutes.
    await at_work.app.requests.everything(at_work.client_id, TODAY)
    assert (await at_work.call(NOTE)).failures == call.failures
    at_work.clock.now = monday - timedelta(seconds=1)
    assert (await at_work.run(NOTE, Step.TRANSCRIPTION)).failures == call.failures
    at_work.clock.now = monday
    assert (await at_work.run(NOTE, Step.TRANSCRIPTION)).transcript is not None
    assert await minutes(at_work) == (60 + SECONDS, SECONDS, 0)


async def test_minutes_count_once_when_the_name_has_to_be_asked_again(
    by_schedule: ClinicAtWork,
) -> None:
    """The recognition is paid and settled; then the model that names the person is down."""
    note_id = 5000004
    await ready(by_schedule, Step.RECORDING, note_id=note_id)
    by_schedule.sandbox.control.fail("openai", "bad_key")
    failed = await by_schedule.run(note_id, Step.TRANSCRIPTION)
    assert failed.failures[Step.TRANSCRIPTION].code == "provider_stopped"
    used = await minutes(by_schedule)
    assert used[0] > 0
    by_schedule.clock.pass_time(timedelta(hours=1))
    done = await by_schedule.run(note_id, Step.TRANSCRIPTION)
    assert done.transcript is not None
    assert await minutes(by_schedule) == (used[0], used[1], 0)
    assert by_schedule.sandbox.control.bill()["stt_paid"] == 1


async def test_a_refusal_of_the_model_is_final(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("openai", "refusal", times=0)
    call = await at_work.run(NOTE, Step.ANALYSIS)
    failure = call.failures[Step.ANALYSIS]
    assert (failure.code, failure.next_try_at) == ("provider_rejected", None)
    assert call.analysis is None


async def test_an_unexpected_exception_becomes_words(at_work: ClinicAtWork) -> None:
    await ready(at_work)

    async def broken(_: Call) -> Facts:
        raise KeyError("Мария, +79000000001")

    replace(at_work, Step.RECORDING, broken)
    call = await at_work.run(NOTE, Step.RECORDING)
    failure = call.failures[Step.RECORDING]
    assert (failure.code, failure.attempts) == ("internal", 1)
    assert failure.message.startswith("Внутренняя ошибка")
    assert "9000000001" not in failure.message
    assert failure.next_try_at == EVENING + timedelta(minutes=1)


async def test_waiting_does_not_use_up_the_attempts_of_real_failures(
    at_work: ClinicAtWork,
) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("openai", "rate_limit_json", seconds=5, times=0)
    for _ in range(8):
        call = await at_work.run(NOTE, Step.ANALYSIS)
        at_work.clock.pass_time(timedelta(seconds=5))
    assert call.failures[Step.ANALYSIS].attempts == 0

    async def unreadable(_: Call) -> Facts:
        raise ProviderAnswerError("openai", "Ответ не читается")

    replace(at_work, Step.ANALYSIS, unreadable)
    call = await at_work.run(NOTE, Step.ANALYSIS)
    assert call.failures[Step.ANALYSIS].attempts == 1
    assert call.failures[Step.ANALYSIS].next_try_at is not None


async def test_the_note_and_the_analysis_fail_apart(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("amocrm", "payment_required", match="POST")
    at_work.sandbox.control.fail("openai", "refusal", times=0)
    call = await at_work.run(NOTE, Step.NOTE, Step.ANALYSIS)
    assert set(call.failures) == {Step.NOTE, Step.ANALYSIS}
    at_work.sandbox.control.clear_faults()
    # Asking for the analysis again leaves the note's wait as it is.
    assert await at_work.app.requests.analysis(at_work.client_id, TODAY) == (1, 1)
    call = await at_work.run(NOTE, Step.ANALYSIS)
    assert call.analysis is not None
    assert set(call.failures) == {Step.NOTE}


async def test_a_job_for_an_unknown_call_is_forgotten(at_work: ClinicAtWork) -> None:
    await at_work.app.pipeline.run(Step.NOTE, "0" * 24)
    assert await at_work.jobs("write_note") == []


def notes(clinic: ClinicAtWork, call: Call) -> list[int]:
    """Ids of our notes on the call's card, as the CRM has them."""
    stored = clinic.sandbox.control.get(f"/amocrm/{clinic.subdomain}/notes")
    return [
        note["id"]
        for note in stored
        if note["entity_id"] == call.entity_id and call.id in note["params"]["text"]
    ]


async def test_a_note_whose_answer_was_lost_is_written_once(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("amocrm", "reset_after_commit", match="POST")
    call = await at_work.run(NOTE, Step.NOTE)
    assert call.crm_note is not None
    assert list(call.crm_note.note_ids) == notes(at_work, call)
    assert len(call.crm_note.note_ids) == 1


async def test_a_note_that_never_arrived_is_written_after_all(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("amocrm", "reset", match="POST", times=2)
    call = await at_work.run(NOTE, Step.NOTE)
    while call.crm_note is None:
        at_work.clock.now = call.failures[Step.NOTE].next_try_at or at_work.clock.now
        call = await at_work.run(NOTE, Step.NOTE)
    assert list(call.crm_note.note_ids) == notes(at_work, call)
    assert len(call.crm_note.note_ids) == 1


async def test_a_crash_between_posting_and_storing_writes_no_second_note(
    at_work: ClinicAtWork,
) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    write = at_work.app.pipeline._actions[Step.NOTE]
    outcome = await write(await at_work.call(NOTE))
    # The process is gone here: what the CRM answered was never stored.
    assert (await at_work.call(NOTE)).crm_note is None
    call = await at_work.run(NOTE, Step.NOTE)
    assert call.crm_note is not None
    assert list(call.crm_note.note_ids) == list(outcome["crm_note"]["note_ids"])
    assert notes(at_work, call) == list(call.crm_note.note_ids)


async def test_parts_that_were_written_before_a_crash_stay(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    monkeypatch.setattr("medai.processing.steps.note_texts", partial(note_texts, limit=900))
    at_work.sandbox.control.fail("amocrm", "slow", match="POST", seconds=0)
    at_work.sandbox.control.fail("amocrm", "server_error", match="POST")
    call = await at_work.run(NOTE, Step.NOTE)
    assert call.crm_note is None
    (first,) = notes(at_work, call)
    at_work.clock.now = call.failures[Step.NOTE].next_try_at or at_work.clock.now
    call = await at_work.run(NOTE, Step.NOTE)
    assert call.crm_note is not None
    assert call.crm_note.note_ids[0] == first
    assert len(call.crm_note.note_ids) > 1
    assert notes(at_work, call) == list(call.crm_note.note_ids)


async def test_each_step_of_a_call_is_queued_once(at_work: ClinicAtWork) -> None:
    """The transcription queues the note and the analysis; neither of them queues the other."""
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    queued = {task: await at_work.jobs(task) for task in (Task.NOTE, Task.ANALYSE)}
    assert [len(jobs) for jobs in queued.values()] == [1, 1]
    async with at_work.app.pool.connection() as connection:  # as while a worker has taken both
        await connection.execute("UPDATE jobs.procrastinate_jobs SET queueing_lock = NULL")

    await at_work.run(NOTE, Step.NOTE, Step.ANALYSIS)

    assert [len(await at_work.jobs(task)) for task in queued] == [1, 1]


@pytest.mark.parametrize("step", [Step.RECORDING, Step.TRANSCRIPTION])
async def test_a_death_before_the_next_step_was_queued_is_healed_by_the_repetition(
    at_work: ClinicAtWork, step: Step
) -> None:
    await ready(at_work, *tuple(Step)[: tuple(Step).index(step) + 1])
    async with at_work.app.pool.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL search_path = jobs")  # for the engine's triggers
        await connection.execute("DELETE FROM procrastinate_jobs")

    await at_work.run(NOTE, step)

    following = [Task.TRANSCRIBE] if step is Step.RECORDING else [Task.NOTE, Task.ANALYSE]
    assert [len(await at_work.jobs(task)) for task in following] == [1] * len(following)


@pytest.mark.parametrize("step", [Step.TRANSCRIPTION, Step.NOTE, Step.ANALYSIS])
async def test_a_death_after_the_result_was_stored_loses_nothing(
    at_work: ClinicAtWork, step: Step
) -> None:
    before = {Step.TRANSCRIPTION: 1, Step.NOTE: 2, Step.ANALYSIS: 2}[step]
    call = await ready(at_work, *tuple(Step)[:before])
    finished = at_work.app.pipeline._finished

    async def killed(*_: object, **__: object) -> Call:
        raise RuntimeError("killed")

    at_work.app.pipeline._finished = killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await at_work.run(NOTE, step)
    at_work.app.pipeline._finished = finished  # type: ignore[method-assign]
    assert (await at_work.call(NOTE)).stage == call.stage

    done = await at_work.run(NOTE, step)

    assert done.stage == step.stage
    assert (await at_work.clinic()).limits.reservations == {}
    rows = await at_work.app.exports.export(at_work.client_id)
    assert rows.get("call_details", 0) == (1 if step is Step.ANALYSIS else 0)


async def test_a_death_before_the_day_was_marked_is_healed_by_the_export(
    at_work: ClinicAtWork,
) -> None:
    call = await ready(at_work, *Step)
    await at_work.app.documents.delete(EXPORT_DAYS, {"client_id": call.client_id})

    assert (await at_work.app.exports.export(call.client_id))["call_details"] == 1
    assert await at_work.app.exports.export(call.client_id) == {}
