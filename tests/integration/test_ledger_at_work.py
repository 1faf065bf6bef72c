"""The ledger beside the sandbox's bill: what is done is billed, what is lost is listed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork

from medai.calls.models import Call, Step
from medai.errors import ConflictError, NotFoundError
from medai.kit.days import zone
from medai.kit.ids import call_id
from medai.ledger.costs import Sums
from medai.ledger.models import Decision, Effect, EffectKind, EffectState

NOTE = 1000004
"""An unbooked first call on a lead, 70 seconds, hours old."""
SPEECH, MODEL, CRM = EffectKind.RECOGNITION, EffectKind.LANGUAGE_MODEL, EffectKind.CRM_NOTE


async def ready(clinic: ClinicAtWork, *steps: Step, note_id: int = NOTE) -> Call:
    """The day synced, the call asked for and brought through some steps."""
    await clinic.sync()
    await clinic.wanted(note_id)
    return await clinic.run(note_id, *steps)


async def sums(clinic: ClinicAtWork) -> dict[EffectKind, Sums]:
    report = await clinic.app.ledger.costs(clinic.client_id, TODAY, zone("Europe/Moscow"))
    return report.total.kinds


async def lines(clinic: ClinicAtWork, kind: EffectKind, note_id: int = NOTE) -> list[Effect]:
    found = await clinic.app.ledger.of_call(call_id(clinic.client_id, note_id))
    return [line for line in found if line.kind is kind]


async def states(clinic: ClinicAtWork, kind: EffectKind) -> list[str]:
    return [line.state.value for line in await lines(clinic, kind)]


def posts(clinic: ClinicAtWork) -> int:
    """How often notes were posted, answered or not."""
    found: dict[str, int] = clinic.sandbox.control.bill()["crm_requests_by_path"]
    return sum(n for path, n in found.items() if path.startswith("POST") and "notes" in path)


def bill(clinic: ClinicAtWork) -> dict[str, Any]:
    return clinic.sandbox.control.bill()


async def test_a_call_costs_what_the_providers_bill(at_work: ClinicAtWork) -> None:
    call = await ready(at_work, *Step)
    found, billed = await sums(at_work), bill(at_work)
    assert (found[SPEECH].done, found[MODEL].done, found[CRM].done) == (
        billed["stt_paid"], billed["llm_requests"], billed["notes"],
    )  # fmt: skip
    assert float(found[SPEECH].seconds) == billed["stt_billed_seconds"]
    assert found[MODEL].input_tokens == billed["llm_input_tokens"]
    assert found[MODEL].cached_tokens == billed["llm_cached_tokens"]
    assert found[MODEL].output_tokens == billed["llm_output_tokens"]
    assert all(not one.unknown and not one.failed and not one.requested for one in found.values())
    assert found[SPEECH].cost["USD"] > 0 < found[MODEL].cost["USD"]
    assert found[CRM].cost == {}
    (speech,), (note,) = await lines(at_work, SPEECH), await lines(at_work, CRM)
    assert (speech.provider, speech.model) == ("elevenlabs", "scribe_v2")
    assert speech.provider_ref
    assert call.crm_note is not None
    assert note.provider_ref == str(call.crm_note.note_ids[0])
    # Nothing that is repeated is entered again.
    await at_work.run(NOTE, *Step)
    assert await sums(at_work) == found


async def test_a_lost_recognition_is_listed_and_its_repetition_is_a_line_of_its_own(
    at_work: ClinicAtWork,
) -> None:
    await ready(at_work, Step.RECORDING)
    at_work.sandbox.control.fail("elevenlabs", "reset_after_commit")
    call = await at_work.run(NOTE, Step.TRANSCRIPTION)
    assert await states(at_work, SPEECH) == ["unknown"]
    at_work.clock.now = call.failures[Step.TRANSCRIPTION].next_try_at or at_work.clock.now
    assert (await at_work.run(NOTE, Step.TRANSCRIPTION)).transcript is not None
    assert await states(at_work, SPEECH) == ["unknown", "done"]
    found = (await sums(at_work))[SPEECH]
    lost, done = await lines(at_work, SPEECH)
    assert bill(at_work)["stt_paid"] == 2
    assert float(lost.seconds + done.seconds) == pytest.approx(
        bill(at_work)["stt_billed_seconds"], abs=0.2
    )
    assert found.at_stake == {"USD": lost.cost}
    assert found.cost == {"USD": done.cost}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("rate_limit_json", "failed"), ("quota", "failed"), ("server_error", "failed"),
        ("timeout", "unknown"), ("invalid_json", "unknown"), ("reset_after_commit", "unknown"),
    ],
)  # fmt: skip
async def test_every_refused_recognition_is_free_and_every_lost_one_in_doubt(
    cautious: ClinicAtWork, kind: str, state: str
) -> None:
    await ready(cautious, Step.RECORDING)
    cautious.sandbox.control.fail("elevenlabs", kind)
    await cautious.run(NOTE, Step.TRANSCRIPTION)
    assert await states(cautious, SPEECH) == [state]
    assert bill(cautious)["stt_paid"] == (state == "unknown")
    assert len(await cautious.app.held.items()) == (state == "unknown")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rate_limit_json", ["failed"]), ("quota", ["failed"]), ("failed", ["failed"]),
        ("refusal", ["done"]), ("invalid_json", ["done"] * 3), ("incomplete", ["done"] * 3),
        ("wrong_evidence", ["done"] * 2),
        ("timeout", ["unknown"]), ("reset_after_commit", ["unknown"]), ("html_ok", ["unknown"]),
    ],
)  # fmt: skip
async def test_every_request_to_the_model_is_a_line_whatever_comes_of_it(
    cautious: ClinicAtWork, kind: str, expected: list[str]
) -> None:
    await ready(cautious, Step.RECORDING, Step.TRANSCRIPTION)
    cautious.sandbox.control.fail("openai", kind)
    await cautious.run(NOTE, Step.ANALYSIS)
    assert await states(cautious, MODEL) == expected
    found, billed = (await sums(cautious))[MODEL], bill(cautious)
    if "unknown" in expected:  # one page came from a gateway before any work
        assert billed["llm_requests"] <= found.unknown == 1
        return
    assert billed["llm_requests"] == found.done
    assert (billed["llm_input_tokens"], billed["llm_output_tokens"]) == (
        found.input_tokens, found.output_tokens,
    )  # fmt: skip
    assert billed["llm_cached_tokens"] == found.cached_tokens


async def test_the_question_about_the_administrator_is_the_calls_expense(
    by_schedule: ClinicAtWork,
) -> None:
    await ready(by_schedule, Step.RECORDING, Step.TRANSCRIPTION, note_id=5000004)
    (line,) = await lines(by_schedule, MODEL, 5000004)
    assert line.state is EffectState.DONE
    assert line.input_tokens == bill(by_schedule)["llm_input_tokens"] > 0


async def test_a_lost_note_that_is_on_the_card_is_done(at_work: ClinicAtWork) -> None:
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("amocrm", "reset_after_commit", match="POST")
    call = await at_work.run(NOTE, Step.NOTE)
    assert call.crm_note is not None
    (line,) = await lines(at_work, CRM)
    assert (line.state, line.provider_ref) == (
        EffectState.DONE, str(call.crm_note.note_ids[0]),
    )  # fmt: skip
    assert (posts(at_work), bill(at_work)["notes"]) == (1, 1)


async def test_a_lost_note_that_is_not_on_the_card_is_not_posted_at_once(
    at_work: ClinicAtWork,
) -> None:
    """The first posting may still be on its way: the next attempt, a minute later, looks again."""
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("amocrm", "reset", match="POST")
    call = await at_work.run(NOTE, Step.NOTE)
    before = posts(at_work)
    assert call.failures[Step.NOTE].code == "answer_lost"
    assert call.failures[Step.NOTE].next_try_at == at_work.clock() + timedelta(minutes=1)
    assert await states(at_work, CRM) == ["unknown"]
    at_work.clock.pass_time(timedelta(minutes=1))
    assert (await at_work.run(NOTE, Step.NOTE)).crm_note is not None
    assert await states(at_work, CRM) == ["done"]
    assert (posts(at_work), bill(at_work)["notes"]) == (before + 1, 1)


async def test_a_note_that_arrives_late_is_found_and_not_doubled(at_work: ClinicAtWork) -> None:
    """The look right after the loss fails, the note is there: the second attempt finds it."""
    await ready(at_work, Step.RECORDING, Step.TRANSCRIPTION)
    at_work.sandbox.control.fail("amocrm", "reset_after_commit", match="POST")
    at_work.sandbox.control.fail("amocrm", "server_error", match="GET", times=3)
    call = await at_work.run(NOTE, Step.NOTE)
    assert call.crm_note is None
    assert await states(at_work, CRM) == ["unknown"]
    at_work.clock.now = call.failures[Step.NOTE].next_try_at or at_work.clock.now
    assert (await at_work.run(NOTE, Step.NOTE)).crm_note is not None
    assert (posts(at_work), bill(at_work)["notes"]) == (1, 1)
    assert await states(at_work, CRM) == ["done"]


async def given_up_looking(clinic: ClinicAtWork) -> Call:
    """The note is on the card, but the CRM answers nobody until no try is left."""
    await ready(clinic, Step.RECORDING, Step.TRANSCRIPTION)
    clinic.sandbox.control.fail("amocrm", "reset_after_commit", match="POST")
    clinic.sandbox.control.fail("amocrm", "forbidden_html", match="GET", times=0)
    call = await clinic.run(NOTE, Step.NOTE)
    assert await clinic.app.held.items() == []  # the plan still goes on
    final = call.failures[Step.NOTE].model_copy(update={"next_try_at": None})
    await clinic.app.calls.change(call.id, {"failures.note": final.model_dump()})
    clinic.sandbox.control.clear_faults()
    return call


async def test_a_note_that_could_not_be_looked_up_is_held_and_looked_up_on_demand(
    at_work: ClinicAtWork,
) -> None:
    call = await given_up_looking(at_work)
    (item,) = await at_work.app.held.items(at_work.client_id)
    assert (item.id, item.kind, item.cost) == (f"note:{call.id}:1", CRM, Decimal())
    assert await at_work.app.held.items("another-clinic") == []
    await at_work.app.held.decide(item.id, Decision.REPEAT, by="cli")
    at_work.clock.pass_time(timedelta(hours=2))
    call = await at_work.run(NOTE, Step.NOTE)
    while call.crm_note is None:  # the account's breaker opens again after its pause
        at_work.clock.now = call.failures[Step.NOTE].next_try_at or at_work.clock.now
        call = await at_work.run(NOTE, Step.NOTE)
    assert (posts(at_work), bill(at_work)["notes"]) == (1, 1)
    (line,) = await lines(at_work, CRM)
    assert (line.state, line.decision, line.decided_by) == (
        EffectState.DONE, Decision.REPEAT, "cli",
    )  # fmt: skip


async def test_a_note_that_is_given_up_ends_with_words(at_work: ClinicAtWork) -> None:
    await given_up_looking(at_work)
    (item,) = await at_work.app.held.items()
    await at_work.app.held.decide(item.id, Decision.GIVE_UP, by="cli")
    failure = (await at_work.call(NOTE)).failures[Step.NOTE]
    assert (failure.code, failure.next_try_at) == ("answer_lost", None)
    assert "отклонён" in failure.message
    assert await at_work.app.held.items() == []


async def held_recognition(clinic: ClinicAtWork) -> Call:
    await ready(clinic, Step.RECORDING)
    clinic.sandbox.control.fail("elevenlabs", "reset_after_commit")
    return await clinic.run(NOTE, Step.TRANSCRIPTION)


async def test_a_held_recognition_continues_when_a_person_allows_it(
    cautious: ClinicAtWork,
) -> None:
    call = await held_recognition(cautious)
    for _ in range(4):  # tries of the plan cost nothing
        cautious.clock.now = call.failures[Step.TRANSCRIPTION].next_try_at or cautious.clock.now
        call = await cautious.run(NOTE, Step.TRANSCRIPTION)
    assert call.failures[Step.TRANSCRIPTION].next_try_at is None
    assert bill(cautious)["stt_paid"] == 1
    (item,) = await cautious.app.held.items()
    (line,) = await lines(cautious, SPEECH)
    assert (item.id, item.call_id, item.cost, item.currency) == (
        line.id, call.id, line.cost, "USD",
    )  # fmt: skip
    await cautious.app.held.decide(item.id, Decision.REPEAT, by="cli")
    assert "transcription:" in str(await cautious.jobs("transcribe_call"))
    assert await cautious.app.held.items() == []
    with pytest.raises(NotFoundError):
        await cautious.app.held.decide(item.id, Decision.REPEAT, by="cli")
    assert (await cautious.run(NOTE, Step.TRANSCRIPTION)).transcript is not None
    assert bill(cautious)["stt_paid"] == 2
    first, second = await lines(cautious, SPEECH)
    assert (first.state, first.decision, first.decided_by, first.decided_at) == (
        EffectState.UNKNOWN, Decision.REPEAT, "cli", cautious.clock(),
    )  # fmt: skip
    assert second.state is EffectState.DONE


async def test_of_two_decisions_at_once_one_counts(
    cautious: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held_recognition(cautious)
    (item,) = await cautious.app.held.items()
    seen = await cautious.app.transcription.payments.get(item.id.partition(":")[0])
    assert seen is not None

    async def stale(_: str) -> Any:
        return seen

    monkeypatch.setattr(cautious.app.transcription.payments, "get", stale)

    async def listed(_: str | None = None) -> list[Any]:
        return [item]

    monkeypatch.setattr(cautious.app.held, "items", listed)
    await cautious.app.held.decide(item.id, Decision.REPEAT, by="one")
    with pytest.raises(ConflictError):
        await cautious.app.held.decide(item.id, Decision.REPEAT, by="two")
    (line,) = await lines(cautious, SPEECH)
    assert line.decided_by == "one"


async def test_a_recognition_that_is_given_up_ends_the_call_for_good(
    cautious: ClinicAtWork,
) -> None:
    await held_recognition(cautious)
    (item,) = await cautious.app.held.items()
    await cautious.app.held.decide(item.id, Decision.GIVE_UP, by="cli")
    call = await cautious.call(NOTE)
    failure = call.failures[Step.TRANSCRIPTION]
    assert (failure.next_try_at, "отклонена" in failure.message) == (None, True)
    await cautious.app.requests.retry(call)  # asking again pays nothing either
    again = (await cautious.run(NOTE, Step.TRANSCRIPTION)).failures[Step.TRANSCRIPTION]
    assert (again.code, again.next_try_at, again.message) == (
        "provider_rejected", None, failure.message,
    )  # fmt: skip
    assert bill(cautious)["stt_paid"] == 1
    assert await cautious.app.held.items() == []


async def test_a_day_with_faults_adds_up_to_the_bill(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    control = at_work.sandbox.control
    faults = (
        ("elevenlabs", "reset_after_commit"), ("openai", "invalid_json"), ("amocrm", "reset"),
        ("elevenlabs", "rate_limit_json"), ("openai", "reset_after_commit"),
        ("amocrm", "reset_after_commit"), ("openai", "refusal"), ("openai", "rate_limit_json"),
    )  # fmt: skip
    calls = [one async for one in at_work.app.calls.of_days(at_work.client_id, TODAY)
             if one.recording_url and not one.skip_reason]  # fmt: skip
    taken = calls[: len(faults)]
    for call, (target, kind) in zip(taken, faults, strict=True):
        control.fail(target, kind, match="POST")
        assert isinstance(call.note_id, int)
        await at_work.wanted(call.note_id)
        for _ in range(4):
            done = await at_work.run(call.note_id, *Step)
            waits = [one.next_try_at for one in done.failures.values() if one.next_try_at]
            at_work.clock.now = max([at_work.clock(), *waits])
    found, billed = await sums(at_work), bill(at_work)
    every = [line for call in taken for line in await at_work.app.ledger.of_call(call.id)]
    lost = [line for line in every if line.state is EffectState.UNKNOWN]
    assert sorted(line.kind for line in lost) == [MODEL, SPEECH]
    assert found[SPEECH].done + found[SPEECH].unknown == billed["stt_paid"]
    assert float(found[SPEECH].seconds + lost_seconds(lost)) == pytest.approx(
        billed["stt_billed_seconds"], abs=0.2
    )
    assert found[MODEL].done + found[MODEL].unknown == billed["llm_requests"]
    assert found[CRM].done == billed["notes"]
    assert found[CRM].unknown == 0


def lost_seconds(lost: list[Effect]) -> Decimal:
    return sum((line.seconds for line in lost), Decimal())
