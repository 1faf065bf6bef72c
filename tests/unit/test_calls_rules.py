"""Skips, duplicates, speed labels, and what is due in a call's life."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fixtures.clinic_day import LINK, NOON, failure, own_note, stored_call, transcript

from medai.calls.life import (
    analyze_status,
    due_steps,
    is_settled,
    open_steps,
    transcription_status,
)
from medai.calls.models import Analysis, Call, SkipReason, Stage, Step
from medai.calls.skips import mark_duplicates, skip_reason
from medai.calls.speed import processing_speed_minutes

NOTE_LINK = "https://alpha.amocrm.ru/api/v4/contacts/601/notes/90001"
ANALYSIS = Analysis(
    call_type_id=1, call_type="первичка", scores={}, overall=7.0, recommendations=(),
    needs_review=False, scorecard_version="1", model="m", analysed_at=NOON,
)  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "url", "reason"),
    [
        (0, LINK, SkipReason.ZERO_DURATION),
        (-3, LINK, SkipReason.ZERO_DURATION),
        (1, LINK, SkipReason.SHORT),
        (5, NOTE_LINK, SkipReason.SHORT),
        (6, LINK, None),
        (6, None, None),
        (60, NOTE_LINK, SkipReason.NOTE_LINK),
        (60, "https://pbx.example/notes/1", None),
    ],
)
def test_calls_not_worth_a_download(
    seconds: int, url: str | None, reason: SkipReason | None
) -> None:
    assert skip_reason(duration_seconds=seconds, recording_url=url) is reason


def test_the_lowest_note_of_a_pbx_call_is_kept() -> None:
    booked = {"converted": True, "conversion_type": "Первичные -> Записались"}
    marked = mark_duplicates(
        [stored_call(12, uniq="a", **booked), stored_call(11, uniq="a"), stored_call(13, uniq="b")]
    )
    assert [call.skip_reason for call in marked] == [SkipReason.DUPLICATE, None, None]
    twin = marked[0]
    assert twin.duplicate_of == marked[1].id
    assert twin.stage is Stage.SKIPPED
    assert (twin.converted, twin.conversion_type) == (False, None)


def test_calls_without_a_pbx_id_or_of_other_clinics_are_no_duplicates() -> None:
    calls = [stored_call(1), stored_call(2), stored_call(3, uniq="a"),
             stored_call(4, uniq="a", client_id="clinic-2")]  # fmt: skip
    assert mark_duplicates(calls) == calls


def test_a_skipped_twin_does_not_hide_the_call() -> None:
    silent = stored_call(11, uniq="a", skip_reason=SkipReason.ZERO_DURATION, stage=Stage.SKIPPED)
    kept = stored_call(12, uniq="a")
    assert mark_duplicates([silent, kept]) == [silent, kept]


def test_a_note_with_a_text_id_comes_after_numbers() -> None:
    text = stored_call(11, uniq="a").model_copy(update={"note_id": "01hzx"})
    marked = mark_duplicates([text, stored_call(12, uniq="a")])
    assert [call.skip_reason for call in marked] == [SkipReason.DUPLICATE, None]


def test_a_call_under_way_is_the_one_that_is_kept() -> None:
    early, late = stored_call(11, uniq="a"), stored_call(12, uniq="a")
    marked = mark_duplicates([early, late], under_way={late.id})
    assert [call.skip_reason for call in marked] == [SkipReason.DUPLICATE, None]


@pytest.mark.parametrize(
    ("label", "minutes"),
    [
        ("0 мин", 0), ("5-10 мин", 5), ("10 - 15 мин", 10), ("15–30 мин", 15), ("30-1 час", 30),
        ("1 -3 часа", 60), ("3-6 часов", 180), ("6-12 ЧАСОВ", 360), ("12-1 день", 720),
        ("1—3 дня", 1440), ("7 мин", 7), ("20-25 мин", 20), ("45 минут", 45),
        ("2 дня", 0), ("1 час 5 мин", 0), ("", 0), ("быстро", 0), ("9" * 30 + " мин", 0),
    ],
)  # fmt: skip
def test_processing_speed_in_minutes(label: str, minutes: int) -> None:
    assert processing_speed_minutes(label) == minutes


def wanted(**changes: Any) -> Call:
    asked = {"transcription_requested_at": NOON, "analysis_requested_at": NOON}
    return stored_call(**{**asked, **changes})


@pytest.mark.parametrize(
    ("call", "steps"),
    [
        (stored_call(), ()),
        (wanted(), (Step.RECORDING,)),
        (wanted(stage=Stage.DISCOVERED), ()),
        (wanted(stage=Stage.AUDIO_STORED), (Step.TRANSCRIPTION,)),
        (wanted(stage=Stage.TRANSCRIBED, transcript=transcript()), (Step.NOTE, Step.ANALYSIS)),
        (stored_call(stage=Stage.TRANSCRIBED, transcript=transcript()), (Step.NOTE,)),
        (wanted(transcript=transcript(), crm_note=own_note()), (Step.ANALYSIS,)),
        (wanted(transcript=transcript(), analysis=ANALYSIS), (Step.NOTE,)),
        (wanted(transcript=transcript(), origin="file"), (Step.ANALYSIS,)),
        (wanted(transcript=transcript(), analysis=ANALYSIS, crm_note=own_note()), ()),
        (wanted(stage=Stage.SKIPPED, skip_reason=SkipReason.SHORT), ()),
    ],
)
def test_steps_that_a_call_still_needs(call: Call, steps: tuple[Step, ...]) -> None:
    assert open_steps(call) == steps
    assert due_steps(call, NOON) == steps
    assert is_settled(call) is (not steps)


def test_a_failed_step_waits_for_its_next_try() -> None:
    call = wanted(failures={Step.RECORDING: failure(5)})
    assert open_steps(call) == (Step.RECORDING,)
    assert due_steps(call, NOON + timedelta(minutes=4, seconds=59)) == ()
    assert due_steps(call, NOON + timedelta(minutes=5)) == (Step.RECORDING,)


def test_a_step_that_failed_for_good_leaves_the_others_open() -> None:
    call = wanted(transcript=transcript(), failures={Step.NOTE: failure(None)})
    assert open_steps(call) == (Step.ANALYSIS,)
    assert is_settled(wanted(failures={Step.RECORDING: failure(None)}))


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (stored_call(), "pending"),
        (wanted(), "processing"),
        (wanted(stage=Stage.DISCOVERED), "pending"),
        (wanted(stage=Stage.SKIPPED, skip_reason=SkipReason.SHORT), "pending"),
        (wanted(failures={Step.RECORDING: failure(5)}), "processing"),
        (wanted(failures={Step.RECORDING: failure(None)}), "failed"),
        (wanted(failures={Step.TRANSCRIPTION: failure(None)}), "failed"),
        (wanted(failures={Step.TRANSCRIPTION: failure(9, "limit_exceeded")}), "limit_exceeded"),
        (wanted(transcript=transcript(), failures={Step.NOTE: failure(None)}), "success"),
    ],
)
def test_transcription_status_has_all_five_values(call: Call, status: str) -> None:
    assert transcription_status(call) == status


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (stored_call(), "pending"),
        (wanted(), "pending"),
        (wanted(transcript=transcript()), "processing"),
        (wanted(transcript=transcript(), failures={Step.ANALYSIS: failure(5)}), "processing"),
        (wanted(transcript=transcript(), failures={Step.ANALYSIS: failure(None)}), "failed"),
        (wanted(transcript=transcript(), analysis=ANALYSIS), "success"),
    ],
)
def test_analyze_status(call: Call, status: str) -> None:
    assert analyze_status(call) == status
