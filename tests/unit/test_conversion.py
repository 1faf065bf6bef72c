"""Did the call convert: every rule of contract 4.1-4.2 and their order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
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
    own_note,
    stored_call,
)

from medai.calls.conversion import (
    FieldChange,
    FieldFacts,
    LeadSnapshot,
    PipelineFacts,
    StatusChange,
    Verdict,
    detect_conversion_config,
    enrich_calls_with_conversion,
    own_writes,
)
from medai.calls.models import Call

FIRST_LABEL = "Первичные -> Записались"
REPEAT_LABEL = "Вторичные -> Записались"
CONFIRMED_LABEL = "Подтверждение -> Подтвержден"
DAY_START = NOON - timedelta(hours=12)
DAY_END = DAY_START + timedelta(days=1)


def moved(pair: tuple[int, int], at: datetime = NOON, lead_id: int = 501) -> StatusChange:
    return StatusChange(lead_id, at, *pair)


def chose(
    enum: int | None = CONFIRMED, text: str = "Подтвержден", at: datetime = NOON, field: int = FIELD
) -> FieldChange:
    return FieldChange(501, at, field, enum, text)


def held(at: datetime = NOON, enum: int | None = CONFIRMED, text: str = "") -> LeadSnapshot:
    return LeadSnapshot(501, at, {FIELD: ((enum, text),)})


def judged(
    call: Call | None = None,
    *,
    statuses: Sequence[StatusChange] = (),
    fields: Sequence[FieldChange] = (),
    snapshot: LeadSnapshot | None = None,
    **options: Any,
) -> Call:
    (result,) = enrich_calls_with_conversion(
        [call or stored_call()],
        options.pop("config", CONFIG),
        status_changes=statuses,
        field_changes=fields,
        leads={501: snapshot} if snapshot else {},
        tz=TZ,
        **options,
    )
    assert result.converted == (result.conversion_type is not None)
    return result


def test_a_call_without_facts_is_not_converted() -> None:
    assert judged().conversion_type is None


@pytest.mark.parametrize(("pair", "label"), [(PRIMARY, FIRST_LABEL), (SECONDARY, REPEAT_LABEL)])
def test_a_lead_that_reaches_a_booked_status_converts(pair: tuple[int, int], label: str) -> None:
    assert judged(statuses=[moved(pair)]).conversion_type == label


def test_a_status_counts_only_with_its_pipeline() -> None:
    assert not judged(statuses=[moved((PRIMARY[0], SECONDARY[1]))]).converted


def test_another_leads_move_proves_nothing() -> None:
    assert not judged(statuses=[moved(PRIMARY, lead_id=502)]).converted


@pytest.mark.parametrize(
    ("at", "converted"),
    [
        (DAY_START, True),
        (DAY_START - timedelta(seconds=1), False),
        (DAY_END - timedelta(seconds=1), True),
        (DAY_END, False),
    ],
)
def test_only_the_calls_own_business_day_counts(at: datetime, converted: bool) -> None:
    assert judged(statuses=[moved(PRIMARY, at)]).converted is converted
    assert judged(fields=[chose(at=at)]).converted is converted
    assert judged(snapshot=held(at)).converted is converted


def test_each_call_is_judged_on_its_own_day() -> None:
    calls = [stored_call(day, business_day=DAY + timedelta(days=day)) for day in range(3)]
    result = enrich_calls_with_conversion(
        calls,
        CONFIG,
        status_changes=[moved(PRIMARY, NOON + timedelta(days=1))],
        field_changes=[],
        leads={},
        tz=TZ,
    )
    assert [call.converted for call in result] == [False, True, False]


@pytest.mark.parametrize(("days", "converted"), [(0, False), (2, False), (3, True)])
def test_the_window_is_prolonged_by_whole_days(days: int, converted: bool) -> None:
    late = DAY_END + timedelta(days=3) - timedelta(seconds=1)
    assert judged(statuses=[moved(PRIMARY, late)], window_days=days).converted is converted


def test_the_field_event_is_known_by_its_choice() -> None:
    assert judged(fields=[chose(CONFIRMED, "")]).conversion_type == CONFIRMED_LABEL
    assert not judged(fields=[chose(CANCELLED, "Подтвержден?")]).converted
    assert not judged(fields=[chose(field=99)]).converted


@pytest.mark.parametrize(
    ("text", "converted"),
    [
        ("Подтвержден", True),
        ("ПОДТВЕРЖДЁН менеджером", True),
        ("не подтвержден", False),
        ("Не подтверждён", False),
        ("Неподтвержденный", False),
        ("нет подтверждения", False),
        ("Отменён", False),
        ("", False),
    ],
)
def test_a_text_without_a_choice_is_read(text: str, converted: bool) -> None:
    assert judged(fields=[chose(None, text)]).converted is converted
    assert judged(snapshot=held(enum=None, text=text)).converted is converted


def test_a_lead_that_holds_the_value_and_was_updated_that_day_converts() -> None:
    assert judged(snapshot=held()).conversion_type == CONFIRMED_LABEL
    assert not judged(snapshot=held(enum=CANCELLED)).converted
    assert not judged(snapshot=LeadSnapshot(501, NOON, {})).converted


@pytest.mark.parametrize(("minutes", "converted"), [(0, False), (-2, False), (2, False), (3, True)])
def test_the_echo_of_our_own_note_proves_nothing(minutes: int, converted: bool) -> None:
    written = own_writes([stored_call(7, crm_note=own_note(NOON + timedelta(minutes=minutes)))])
    # The note may belong to another call of the same lead.
    assert judged(snapshot=held(), written=written).converted is converted


def test_an_attempt_whose_answer_was_lost_may_have_written() -> None:
    written = own_writes([stored_call(7, note_attempted_at=NOON)])
    assert not judged(snapshot=held(), written=written).converted


def test_a_note_on_a_contact_does_not_move_the_lead() -> None:
    written = own_writes([stored_call(7, collection="contacts", crm_note=own_note())])
    assert judged(snapshot=held(), written=written).converted


def test_a_real_confirmation_beside_our_note_still_counts() -> None:
    written = own_writes([stored_call(7, crm_note=own_note())])
    result = judged(snapshot=held(), fields=[chose()], written=written)
    assert result.conversion_type == CONFIRMED_LABEL


def test_confirmation_goes_before_first_goes_before_repeat() -> None:
    both = [moved(SECONDARY), moved(PRIMARY)]
    assert judged(statuses=both).conversion_type == FIRST_LABEL
    assert judged(statuses=both, fields=[chose()]).conversion_type == CONFIRMED_LABEL
    assert judged(statuses=both, snapshot=held()).conversion_type == CONFIRMED_LABEL


@pytest.mark.parametrize("label", [FIRST_LABEL, REPEAT_LABEL, CONFIRMED_LABEL])
def test_a_stored_verdict_never_falls(label: str) -> None:
    call = stored_call(converted=True, conversion_type=label)
    assert judged(call).conversion_type == label
    stronger = judged(call, statuses=[moved(SECONDARY)]).conversion_type
    assert Verdict.of(stronger) >= Verdict.of(label)


def test_without_a_lead_or_a_configuration_the_call_stays_as_it_is() -> None:
    known = stored_call(converted=True, conversion_type=FIRST_LABEL, lead_id=None)
    assert judged(known, statuses=[moved(PRIMARY)]) is known
    call = stored_call()
    assert judged(call, statuses=[moved(PRIMARY)], config=None) is call


def pipelines(*names: str) -> list[PipelineFacts]:
    statuses = ((1, "Новый"), (2, "Клиент записан"), (3, "ЗАПИСАЛСЯ"))
    return [PipelineFacts(10 + place, name, statuses) for place, name in enumerate(names)]


def test_targets_are_read_off_the_names() -> None:
    fields = [
        FieldFacts(5, "Имя", ()),
        FieldFacts(6, "Подтверждение визита", ((1, "Не подтвержден"), (2, "Подтверждён"))),
    ]
    found = detect_conversion_config(
        pipelines("Архив", "ПЕРВИЧНЫЕ", "Первичные 2", "Повторные", "Вторичные"), fields, now=NOON
    )
    assert found is not None
    assert found.primary is not None
    assert (found.primary.pipeline_id, found.primary.status_id) == (11, 2)
    assert found.secondary is not None
    assert found.secondary.pipeline_id == 13
    assert found.confirmation_field is not None
    assert found.confirmation_field.enum_id == 2
    assert (found.auto_detected, found.manually_overridden, found.detected_at) == (
        True, False, NOON,
    )  # fmt: skip


def test_one_pipeline_is_enough_but_a_field_alone_is_not() -> None:
    field = FieldFacts(6, "Подтверждение", ((2, "Подтвержден"),))
    only_repeat = detect_conversion_config(pipelines("Вторичные"), [field], now=NOON)
    assert only_repeat is not None
    assert only_repeat.primary is None
    assert detect_conversion_config(pipelines("Продажи"), [field], now=NOON) is None


def test_a_pipeline_without_a_booked_status_is_incomplete() -> None:
    bare = [PipelineFacts(1, "Первичные", ((1, "Новый"),))]
    assert detect_conversion_config(bare, [], now=NOON) is None


def test_a_field_without_a_confirming_choice_is_left_out() -> None:
    field = FieldFacts(6, "Подтверждение", ((1, "Не подтвержден"), (2, "Отмена")))
    found = detect_conversion_config(pipelines("Первичные"), [field], now=NOON)
    assert found is not None
    assert found.confirmation_field is None
