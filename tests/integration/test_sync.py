"""A clinic's day pulled out of the CRM simulator into real documents."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from tests.fixtures.clinic_at_work import EVENING, TODAY, ClinicAtWork
from tests.fixtures.sandbox import DAY

from medai.calls.models import Call, SkipReason, Stage, Step
from medai.calls.repository import CALLS
from medai.crm import sync as sync_module
from medai.errors import ProviderStoppedError
from medai.kit.days import DayRange
from medai.processing.pipeline import Facts

UNBOOKED, RECORDED_ON_CONTACT = 1000004, 1000016
LEAD, FIRST_PIPELINE, FIRST_BOOKED = 101025, 100021, 1000213
CONFIRMATION, CONFIRMED = 100034, 100062
TOMORROW = DayRange(DAY + timedelta(days=1), DAY + timedelta(days=1))
STAMPS = ("stored_at", "updated_at")


def book(clinic: ClinicAtWork, at: datetime = EVENING, lead_id: int = LEAD) -> None:
    clinic.sandbox.control.post(
        f"/amocrm/{clinic.subdomain}/move-lead",
        lead_id=lead_id, status_id=FIRST_BOOKED, pipeline_id=FIRST_PIPELINE, at=at.isoformat(),
    )  # fmt: skip


async def test_what_is_found_is_the_truth_and_a_second_sync_changes_nothing(
    at_work: ClinicAtWork,
) -> None:
    truth = at_work.sandbox.control.truth()["clinics"][at_work.client_id]
    result = await at_work.sync()
    assert (result.found, result.kept) == (truth["calls_found"], truth["calls_stored"])
    skipped = Counter({reason.value: count for reason, count in result.skipped.items()})
    assert skipped == Counter(truth["calls_skipped"])
    assert (result.created, result.created_kept) == (result.found, result.kept)
    await at_work.app.exports.export(None)
    before = await at_work.documents()
    at_work.clock.pass_time(timedelta(minutes=20))
    again = await at_work.sync()
    assert (again.found, again.kept, again.skipped) == (result.found, result.kept, result.skipped)
    assert (again.created, again.changed, again.rebooked) == (0, 0, [])
    assert await at_work.documents() == before
    assert [day async for day in at_work.app.exports._days.due(None)] == []


async def test_two_syncs_at_once_store_what_one_stores(at_work: ClinicAtWork) -> None:
    results = await asyncio.gather(at_work.sync(), at_work.sync(), at_work.sync())
    assert sum(result.created for result in results) == results[0].found
    before = await at_work.documents()
    assert len({one["_id"] for one in before}) == len(before) == results[0].found
    assert (await at_work.sync()).changed == 0
    assert await at_work.documents() == before


async def test_days_may_be_synced_in_any_order(at_work: ClinicAtWork) -> None:
    week = [DayRange(DAY + timedelta(days=n), DAY + timedelta(days=n)) for n in (-1, 0, 1)]
    for days in week:
        await at_work.sync(days)
    forwards = await at_work.documents(*STAMPS)
    await at_work.app.documents.delete(CALLS, {"client_id": at_work.client_id})
    for days in reversed(week):
        await at_work.sync(days)
    assert await at_work.documents(*STAMPS) == forwards
    await at_work.app.documents.delete(CALLS, {"client_id": at_work.client_id})
    await at_work.sync(DayRange(week[0].first, week[-1].last))
    assert await at_work.documents(*STAMPS) == forwards


async def test_a_late_link_revives_the_call(at_work: ClinicAtWork) -> None:
    where = f"/amocrm/{at_work.subdomain}"
    note = {"collection": "leads", "note_id": UNBOOKED}
    at_work.sandbox.control.post(f"{where}/hold-link", **note)
    await at_work.sync()
    waiting = await at_work.call(UNBOOKED)
    assert (waiting.stage, waiting.recording_url) == (Stage.DISCOVERED, None)
    at_work.sandbox.control.post(f"{where}/release-link", **note)
    result = await at_work.sync()
    assert (result.created, result.changed) == (0, 1)
    revived = await at_work.call(UNBOOKED)
    assert revived.stage is Stage.RECORDED
    assert revived.recording_url


async def test_another_link_gets_another_try(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(UNBOOKED)
    at_work.sandbox.control.fail("recordings", "not_found")
    dead = await at_work.run(UNBOOKED, Step.RECORDING)
    assert dead.failures[Step.RECORDING].next_try_at is None
    notes = at_work.account.notes["leads"]
    params = (notes.get(UNBOOKED) or {})["params"]
    notes.change(
        UNBOOKED, int(EVENING.timestamp()), params={**params, "link": params["link"] + "?2"}
    )
    await at_work.sync()
    assert (await at_work.run(UNBOOKED, Step.RECORDING)).audio is not None


async def test_a_twin_that_comes_later_is_the_duplicate(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    before = await at_work.documents()
    order = {"collection": "contacts", "note_id": RECORDED_ON_CONTACT,
             "to_collection": "leads", "to_entity_id": LEAD}  # fmt: skip
    twin = at_work.sandbox.control.post(f"/amocrm/{at_work.subdomain}/duplicate-call", **order)
    result = await at_work.sync()
    assert (result.created, result.created_kept, result.changed) == (1, 0, 0)
    copy = await at_work.call(twin["id"])
    original = await at_work.call(RECORDED_ON_CONTACT)
    assert (copy.skip_reason, copy.duplicate_of) == (SkipReason.DUPLICATE, original.id)
    assert [one for one in await at_work.documents() if one["_id"] != copy.id] == before


@pytest.mark.parametrize("processed", [False, True])
async def test_of_twins_on_two_days_one_is_kept_in_any_order(
    at_work: ClinicAtWork, processed: bool
) -> None:
    # The call of 1000036 lies behind midnight; its twin was written a moment before it.
    late = 1000036
    note = at_work.account.notes["contacts"].get(late) or {}
    before_midnight = {**note, "created_at": int(EVENING.timestamp())}
    row = at_work.account.add_note("contacts", before_midnight, "outgoing_call")
    await at_work.sync(TODAY)
    twin = await at_work.call(row["id"])
    assert twin.skip_reason is None
    if processed:
        await at_work.wanted(row["id"])
        await at_work.run(row["id"], Step.RECORDING)
    await at_work.sync(TOMORROW)
    for days in (TODAY, TOMORROW):
        kept = [
            c
            for c in (await at_work.call(late), await at_work.call(row["id"]))
            if c.skip_reason is None
        ]
        assert [call.note_id for call in kept] == [row["id"] if processed else late]
        await at_work.sync(days)


async def test_an_unreadable_note_wipes_nothing(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    before = await at_work.documents()
    at_work.account.notes["leads"].change(UNBOOKED, int(EVENING.timestamp()), note_type="common")
    result = await at_work.sync()
    assert result.changed == 0
    assert await at_work.documents() == before


async def test_a_late_booking_flips_the_call_and_its_scores(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(UNBOOKED)
    before = await at_work.run(UNBOOKED, Step.RECORDING, Step.TRANSCRIPTION, Step.ANALYSIS)
    assert before.analysis is not None
    assert before.analysis.scores["patient_booking"] == 0
    await at_work.app.exports.export(at_work.client_id)
    asked = at_work.sandbox.control.bill()["llm_requests"]
    book(at_work)
    result = await at_work.sync()
    assert result.rebooked == [before.id]
    after = await at_work.call(UNBOOKED)
    assert (after.converted, after.conversion_type) == (True, "Первичные -> Записались")
    assert after.analysis is not None
    assert after.analysis.scores["patient_booking"] == 10
    scores = [score for score in after.analysis.scores.values() if score is not None]
    assert after.analysis.overall == pytest.approx(sum(scores) / len(scores), abs=1e-4)
    assert after.analysis.overall > before.analysis.overall
    assert at_work.sandbox.control.bill()["llm_requests"] == asked
    assert [day.day async for day in at_work.app.exports._days.due(None)] == [DAY]


async def test_a_booking_during_the_analysis_is_scored(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    await at_work.wanted(UNBOOKED)
    await at_work.run(UNBOOKED, Step.RECORDING, Step.TRANSCRIPTION)
    actions = at_work.app.pipeline._actions
    analyse = actions[Step.ANALYSIS]

    async def slow(call: Call) -> Facts:
        outcome = await analyse(call)
        book(at_work)
        await at_work.sync()
        return outcome

    actions[Step.ANALYSIS] = slow
    call = await at_work.run(UNBOOKED, Step.ANALYSIS)
    assert call.converted
    assert call.analysis is not None
    assert call.analysis.scores["patient_booking"] == 10


@pytest.mark.parametrize(("days_later", "converted"), [(0, True), (3, True), (4, False)])
async def test_a_window_of_three_days(
    at_work: ClinicAtWork, days_later: int, converted: bool
) -> None:
    await at_work.clinic(conversion_window_days=3)
    await at_work.sync()
    booked_on = DAY + timedelta(days=days_later)
    book(at_work, datetime(2026, 11, 19, 9, 0, tzinfo=UTC) + timedelta(days=days_later))
    # Only the day of the booking is asked for: the call is met again by its lead.
    await at_work.sync(DayRange(booked_on, booked_on))
    assert (await at_work.call(UNBOOKED)).converted is converted
    await at_work.sync()
    assert (await at_work.call(UNBOOKED)).converted is converted


async def test_a_late_booking_does_not_count_for_the_duplicate_too(at_work: ClinicAtWork) -> None:
    await at_work.clinic(conversion_window_days=3)
    order = {"collection": "leads", "note_id": UNBOOKED}
    at = f"/amocrm/{at_work.subdomain}/duplicate-call"
    twin = at_work.sandbox.control.post(at, **order)
    await at_work.sync()
    book(at_work, EVENING + timedelta(hours=12))
    await at_work.sync(TOMORROW)
    assert (await at_work.call(UNBOOKED)).converted
    assert not (await at_work.call(twin["id"])).converted


async def test_without_a_window_tomorrow_does_not_count(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    book(at_work, EVENING + timedelta(hours=4))
    await at_work.sync(TOMORROW)
    await at_work.sync()
    assert not (await at_work.call(UNBOOKED)).converted


async def test_the_echo_of_our_own_note_is_no_confirmation(at_work: ClinicAtWork) -> None:
    leads = at_work.account.cards["leads"]
    old = int(EVENING.timestamp()) - 30 * 86400
    held = {"field_id": CONFIRMATION, "values": [{"enum_id": CONFIRMED, "value": "Подтверждён"}]}
    lead = leads.get(LEAD) or {}
    values = [*(lead.get("custom_fields_values") or ()), held]
    leads.put({**lead, "custom_fields_values": values, "updated_at": old})
    await at_work.sync()
    assert not (await at_work.call(UNBOOKED)).converted
    await at_work.wanted(UNBOOKED)
    await at_work.run(UNBOOKED, Step.RECORDING, Step.TRANSCRIPTION, Step.NOTE)
    assert (leads.get(LEAD) or {})["updated_at"] > old, "the simulator must touch the card"
    await at_work.sync()
    assert not (await at_work.call(UNBOOKED)).converted
    leads.touch(LEAD, int(EVENING.timestamp()) - 3600)  # a person saves the lead an hour before
    await at_work.sync()
    assert (await at_work.call(UNBOOKED)).conversion_type == "Подтверждение -> Подтвержден"


async def test_half_a_sync_lets_what_it_stored_take_effect(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_work.sync()
    await at_work.wanted(UNBOOKED)
    await at_work.run(UNBOOKED, Step.RECORDING, Step.TRANSCRIPTION, Step.ANALYSIS)
    book(at_work)
    monkeypatch.setattr(sync_module, "CHUNK_CALLS", 12)
    # The notes of the first chunk are read; the second chunk's contacts are not.
    at_work.sandbox.control.fail("amocrm", "slow", match="/contacts/notes", seconds=0)
    at_work.sandbox.control.fail("amocrm", "payment_required", match="/contacts/notes")
    with pytest.raises(ProviderStoppedError):
        await at_work.sync()
    call = await at_work.call(UNBOOKED)
    assert call.converted
    assert call.analysis is not None
    assert call.analysis.scores["patient_booking"] == 10


async def test_a_restored_calls_id_is_kept(at_work: ClinicAtWork) -> None:
    """Calls of an old dump have ids of their own, which old links name."""
    await at_work.sync()
    (old,) = [one for one in await at_work.documents() if one["note_id"] == UNBOOKED]
    await at_work.app.documents.delete(CALLS, {"_id": old["_id"]})
    restored = {**old, "_id": "65b2f0c4a1d2e3f405060708", "lead_name": "Старое имя"}
    await at_work.app.documents.insert(CALLS, restored)
    result = await at_work.sync()
    assert (result.created, result.changed) == (0, 1)
    (call,) = [one for one in await at_work.documents() if one["note_id"] == UNBOOKED]
    assert (call["_id"], call["lead_name"]) == (restored["_id"], old["lead_name"])


async def test_a_sync_that_breaks_ends_its_run_in_words(
    at_work: ClinicAtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await at_work.app.runs.start(at_work.client_id, "sync", "19.11.2026", "19.11.2026")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("+79000000001")

    monkeypatch.setattr(sync_module, "build_call", broken)
    with pytest.raises(ZeroDivisionError):
        await at_work.app.syncs.run(at_work.client_id, TODAY, run_id=run.id)
    found = await at_work.app.runs.latest(at_work.client_id, "sync", "19.11.2026", "19.11.2026")
    assert found is not None
    assert (found.state, "9000000001" in found.error) == ("failed", False)
    assert found.error.startswith("Внутренняя ошибка")
