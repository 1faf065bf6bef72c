"""CRM facts in any order, twice or late, lead to one result."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.clinic_day import (
    CANCELLED,
    CONFIG,
    CONFIRMED,
    DAY,
    FIELD,
    NOON,
    PRIMARY,
    SECONDARY,
    TZ,
    call_event,
    clinic,
    stored_call,
)

from medai.calls.conversion import (
    FieldChange,
    LeadSnapshot,
    StatusChange,
    Verdict,
    enrich_calls_with_conversion,
)
from medai.calls.models import Call, SkipReason, Stage
from medai.calls.skips import mark_duplicates
from medai.crm.building import missing_note_call
from medai.crm.merging import changed_fields

MOMENTS = st.integers(-40, 40).map(lambda hours: NOON + timedelta(hours=hours))
LEADS = st.sampled_from([501, 502])
STATUSES = st.builds(
    lambda lead, at, pair: StatusChange(lead, at, *pair),
    LEADS, MOMENTS, st.sampled_from([PRIMARY, SECONDARY, (31, 1), (32, 3102)]),
)  # fmt: skip
FIELDS = st.builds(
    FieldChange, LEADS, MOMENTS, st.sampled_from([FIELD, 99, None]),
    st.sampled_from([CONFIRMED, CANCELLED, None]),
    st.sampled_from(["Подтвержден", "не подтвержден", ""]),
)  # fmt: skip
SNAPSHOTS = st.builds(
    lambda at, enum: LeadSnapshot(501, at, {FIELD: ((enum, ""),)}),
    MOMENTS, st.sampled_from([CONFIRMED, CANCELLED]),
)  # fmt: skip
Facts = list[StatusChange | FieldChange | LeadSnapshot]
FACTS: st.SearchStrategy[Facts] = st.lists(st.one_of(STATUSES, FIELDS, SNAPSHOTS), max_size=8)


def judged(call: Call, facts: Facts, window_days: int) -> Call:
    """The call after one sync that sees these facts (of snapshots the last)."""
    (result,) = enrich_calls_with_conversion(
        [call],
        CONFIG,
        status_changes=[fact for fact in facts if isinstance(fact, StatusChange)],
        field_changes=[fact for fact in facts if isinstance(fact, FieldChange)],
        leads={fact.lead_id: fact for fact in facts if isinstance(fact, LeadSnapshot)},
        tz=TZ,
        window_days=window_days,
    )
    return result


@given(st.data(), FACTS, st.integers(0, 2))
def test_any_order_split_and_repetition_of_facts_gives_one_verdict(
    data: st.DataObject, facts: Facts, window_days: int
) -> None:
    one_by_one = stored_call()
    verdicts = []
    for fact in facts:
        one_by_one = judged(one_by_one, [fact], window_days)
        verdicts.append(Verdict.of(one_by_one.conversion_type))
    assert verdicts == sorted(verdicts), "a verdict fell"
    again = stored_call()
    repeated = data.draw(st.permutations(facts + facts))
    while repeated:
        size = data.draw(st.integers(1, len(repeated)))
        part, repeated = repeated[:size], repeated[size:]
        # One sync sees one present state of a lead; the others come with other syncs.
        for snapshot in [fact for fact in part if isinstance(fact, LeadSnapshot)]:
            again = judged(again, [snapshot], window_days)
        again = judged(again, part, window_days)
    assert again == one_by_one


@given(FACTS, FACTS, st.integers(0, 2))
def test_more_facts_never_lower_a_verdict(some: Facts, more: Facts, days: int) -> None:
    call = judged(stored_call(), some, days)
    after = judged(call, more, days)
    assert Verdict.of(after.conversion_type) >= Verdict.of(call.conversion_type)
    assert after.converted == (after.conversion_type is not None)


CALLS = st.lists(
    st.builds(
        lambda note, uniq, reason: stored_call(
            note, uniq=uniq, skip_reason=reason,
            stage=Stage.SKIPPED if reason else Stage.RECORDED,
        ),
        st.integers(1, 12),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from([None, None, None, SkipReason.SHORT]),
    ),
    max_size=8, unique_by=lambda call: call.note_id,
)  # fmt: skip


@given(st.data(), CALLS)
def test_duplicates_do_not_depend_on_the_order(data: st.DataObject, calls: list[Call]) -> None:
    marked = {call.id: call for call in mark_duplicates(calls)}
    shuffled = {call.id: call for call in mark_duplicates(data.draw(st.permutations(calls)))}
    assert shuffled == marked
    assert {call.id: call for call in mark_duplicates(marked.values())} == marked


@given(CALLS, st.sets(st.integers(1, 12)))
def test_exactly_one_call_of_a_pbx_call_is_kept(calls: list[Call], ahead: set[int]) -> None:
    under_way = {call.id for call in calls if call.note_id in ahead}
    marked = mark_duplicates(calls, under_way)
    for uniq in ("a", "b"):
        real = [call for call in calls if call.uniq == uniq and call.skip_reason is None]
        kept = [call for call in marked if call.uniq == uniq and call.skip_reason is None]
        assert len(kept) == bool(real)
        first = [call for call in real if call.id in under_way] or real
        assert not kept or kept[0].note_id == min(call.note_id for call in first)
    twins = [call for call in marked if call.skip_reason is SkipReason.DUPLICATE]
    by_id = {call.id: call for call in marked}
    assert all(by_id[str(twin.duplicate_of)].skip_reason is None for twin in twins)


FRESH = st.one_of(
    st.builds(
        lambda link, seconds, lead, label: stored_call(
            recording_url=link if seconds else None,
            duration_seconds=seconds,
            lead_id=lead if seconds else None,
            converted=bool(label and seconds),
            conversion_type=label if seconds else None,
            skip_reason=None if seconds else SkipReason.ZERO_DURATION,
            stage=(Stage.RECORDED if link else Stage.DISCOVERED) if seconds else Stage.SKIPPED,
        ),
        st.sampled_from([None, "https://pbx.example/1"]),
        st.sampled_from([0, 61]),
        st.sampled_from([501, None]),
        st.sampled_from([None, "Вторичные -> Записались", "Первичные -> Записались"]),
    ),
    st.just(missing_note_call(clinic(), call_event(), tz=TZ, now=NOON)),
)


def merged(stored: Call, fresh: Call) -> Call:
    return stored.model_copy(update=changed_fields(stored, fresh, clinic()))


@given(FRESH, FRESH, st.sampled_from(list(Stage)))
def test_merging_twice_changes_nothing_more(first: Call, fresh: Call, stage: Stage) -> None:
    for stored in (first, stored_call(stage=stage)):
        once = merged(stored, fresh)
        assert changed_fields(once, fresh, clinic()) == {}
        assert once.business_day == DAY


@given(FRESH, st.lists(FRESH, max_size=5))
def test_an_unreadable_note_may_come_at_any_time(last: Call, before: list[Call]) -> None:
    """Whatever came between, with or without unreadable moments the result is the same."""
    readable = [call for call in before if call.skip_reason is not SkipReason.NOTE_MISSING]
    if not readable:
        return
    one = other = readable[0]
    for fresh in (*before, last):
        one = merged(one, fresh)
    for fresh in (*readable, last):
        other = merged(other, fresh)
    assert one == other
