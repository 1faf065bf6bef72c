"""Counting a log extract, and showing foreign JSON as it came."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from medai.calls.models import Direction
from medai.crm.log_statistics import count, repetitions
from medai.crm.ports import CallNote
from medai.crm.reading import LoggedEvent
from medai.kit.foreign import presentable

AT = datetime(2026, 11, 19, 9, tzinfo=UTC)
FOREIGN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


def note(note_id: int, seconds: int, uniq: str | None = None, link: str | None = None) -> CallNote:
    return CallNote(
        note_id=note_id,
        collection="leads",
        entity_id=5,
        direction=Direction.INBOUND,
        started_at=AT,
        duration_seconds=seconds,
        phone="+7 900 000-00-01",
        link=link,
        uniq=uniq,
        responsible_user_id=None,
        responsible_name="",
    )


def event(number: int, kind: str, entity: str = "lead", note_id: int | None = None) -> LoggedEvent:
    return LoggedEvent(f"e{number}", kind, 5, entity, AT, note_id, {})


def test_calls_are_counted_by_their_notes() -> None:
    events = [
        event(1, "incoming_call", note_id=1),
        event(2, "outgoing_call", "contact", note_id=2),
        event(3, "incoming_call", note_id=3),
        event(4, "lead_status_changed"),
    ]
    counted = count(events, {1: note(1, 60, "a", "http://pbx.test/1"), 2: note(2, 30, "a")})
    assert counted.types == {"incoming_call": 2, "outgoing_call": 1, "lead_status_changed": 1}
    assert (counted.leads, counted.contacts, counted.calls) == (1, 1, 3)
    assert (counted.total_duration, counted.average_duration) == (90, 30.0)
    # The note of the third call is gone: nothing is known of it.
    assert (counted.with_recording, counted.zero_duration, counted.repetitions) == (1, 1, 1)
    assert count([], {}).average_duration == 0.0


def test_one_note_told_of_twice_is_no_repetition() -> None:
    same = note(1, 60, "a")
    assert repetitions([same, same]) == 0
    assert repetitions([same, note(2, 60, "a"), note(3, 60, "a"), note(4, 60)]) == 2


@given(FOREIGN)
def test_whatever_the_crm_sends_can_be_shown(value: Any) -> None:
    shown = presentable(value)
    assert presentable(shown) == shown
    json.dumps(shown, allow_nan=False, ensure_ascii=False).encode()


def test_foreign_json_stays_as_it_came() -> None:
    row = {"id": 7, "name": "Сделка", "price": 1.5, "tags": [{"name": "x"}], "closed_at": None}
    assert presentable(row) == row
    assert presentable({"a": math.nan, "b": "\ud800", "c": (1,)}) == {"a": None, "b": "�", "c": [1]}
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    assert "bottom" not in json.dumps(presentable(deep))
