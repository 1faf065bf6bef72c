"""A stored call meets fresh CRM facts."""

from typing import Any

import pytest
from tests.fixtures.clinic_day import LINK, NOON, TZ, call_event, clinic, own_note, stored_call

from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call, SkipReason, Stage, Step
from medai.crm.building import missing_note_call
from medai.crm.merging import changed_fields

FIRST: dict[str, Any] = {"converted": True, "conversion_type": "Первичные -> Записались"}
REPEAT: dict[str, Any] = {"converted": True, "conversion_type": "Вторичные -> Записались"}
UNDER_WAY = [stage for stage in Stage if stage.rank >= Stage.AUDIO_STORED.rank]


def changes(stored: Call, fresh: Call, **settings: Any) -> dict[str, Any]:
    return changed_fields(stored, fresh, clinic(**settings))


def test_the_same_facts_change_nothing() -> None:
    stored = stored_call(crm_note=own_note(), stage=Stage.NOTED, **FIRST)
    assert changes(stored, stored_call(**FIRST)) == {}


def test_new_facts_are_taken_over() -> None:
    fresh = stored_call(lead_name="Другая", source="Сайт", phone="+79000000002")
    expected = {"lead_name": "Другая", "source": "Сайт", "phone": "+79000000002"}
    assert changes(stored_call(), fresh) == expected


def test_a_known_event_stays_and_a_missing_one_is_added() -> None:
    assert changes(stored_call(), stored_call(event_id="e9")) == {}
    assert changes(stored_call(event_id=None), stored_call()) == {"event_id": "e101"}


def test_a_late_link_revives_a_call() -> None:
    waiting = stored_call(stage=Stage.DISCOVERED, recording_url=None)
    assert changes(waiting, stored_call()) == {
        "recording_url": LINK, "stage": Stage.RECORDED, "skip_reason": None, "duplicate_of": None,
    }  # fmt: skip


def test_a_late_duration_revives_a_skipped_call() -> None:
    silent = stored_call(
        duration_seconds=0, stage=Stage.SKIPPED, skip_reason=SkipReason.ZERO_DURATION
    )
    found = changes(silent, stored_call())
    assert (found["stage"], found["skip_reason"]) == (Stage.RECORDED, None)


def test_a_call_that_turns_out_a_duplicate_is_skipped() -> None:
    fresh = stored_call(
        stage=Stage.SKIPPED, skip_reason=SkipReason.DUPLICATE, duplicate_of="original"
    )
    found = changes(stored_call(**FIRST), fresh)
    assert (found["stage"], found["duplicate_of"]) == (Stage.SKIPPED, "original")
    assert (found["converted"], found["conversion_type"]) == (False, None)


@pytest.mark.parametrize("stage", UNDER_WAY)
@pytest.mark.parametrize("reason", [SkipReason.DUPLICATE, SkipReason.ZERO_DURATION])
def test_a_call_under_way_is_not_turned_back(stage: Stage, reason: SkipReason) -> None:
    fresh = stored_call(lead_id=None, duration_seconds=0, stage=Stage.SKIPPED, skip_reason=reason)
    assert changes(stored_call(stage=stage, **FIRST), fresh) == {}


@pytest.mark.parametrize("stage", UNDER_WAY)
def test_fresh_facts_reach_a_call_under_way_without_moving_it(stage: Stage) -> None:
    found = changes(stored_call(stage=stage), stored_call(lead_name="Другая"))
    assert found == {"lead_name": "Другая"}


@pytest.mark.parametrize("stage", list(Stage))
def test_a_note_that_cannot_be_read_any_more_wipes_nothing(stage: Stage) -> None:
    missing = missing_note_call(clinic(), call_event(), tz=TZ, now=NOON)
    assert changes(stored_call(stage=stage, **FIRST), missing) == {}


def test_a_note_that_can_be_read_at_last_revives_the_trace() -> None:
    trace = missing_note_call(clinic(), call_event(), tz=TZ, now=NOON)
    found = changes(trace, stored_call())
    assert found["stage"] is Stage.RECORDED
    assert found["recording_url"] == LINK


@pytest.mark.parametrize(
    ("stored", "fresh", "expected"),
    [({}, REPEAT, REPEAT), (REPEAT, FIRST, FIRST), (FIRST, REPEAT, FIRST), (FIRST, {}, FIRST)],
)
def test_a_verdict_only_rises(
    stored: dict[str, Any], fresh: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = stored_call(**stored)
    after = before.model_copy(update=changes(before, stored_call(**fresh)))
    assert {"converted": after.converted, "conversion_type": after.conversion_type} == expected


def test_what_processing_found_stays() -> None:
    stored = stored_call(stage=Stage.NOTED, crm_note=own_note(), transcription_requested_at=NOON)
    found = changes(stored, stored_call(lead_name="Другая"))
    assert set(found) == {"lead_name"}


def test_the_administrator_is_the_crms_only_where_the_clinic_says_so() -> None:
    stored = stored_call(administrator="Анна Иванова")
    fresh = stored_call(administrator="Ольга Петрова")
    assert changes(stored, fresh) == {"administrator": "Ольга Петрова"}
    assert changes(stored, fresh, admin_detection_method="ai_schedule") == {}


def test_a_known_administrator_is_not_replaced_by_nobody() -> None:
    stored = stored_call(administrator="Анна Иванова")
    assert changes(stored, stored_call(administrator=UNKNOWN_ADMINISTRATOR)) == {}


def test_failures_are_not_the_crms_business() -> None:
    assert Step.RECORDING not in changes(stored_call(), stored_call(recording_url="https://x/2"))
