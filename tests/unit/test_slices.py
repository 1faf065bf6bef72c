"""Long periods in slices, and what is told of a day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medai.calls.models import SkipReason
from medai.kit.days import DayRange
from medai.processing.day_outcomes import (
    DayOutcome,
    DayStatus,
    failed_day,
    joined,
    outcome_of,
    state_of_days,
)
from medai.processing.runs import Phase, Run, RunKind
from medai.processing.slices import days_of, next_slice, turn, unread

NOON = datetime(2026, 11, 19, 9, tzinfo=UTC)


def run_of(kind: str, first: str, last: str, **changes: object) -> Run:
    fields = {"id": "r", "client_id": "c", "kind": kind, "started_at": NOON}
    return Run.model_validate({**fields, "first": first, "last": last, **changes})


@given(
    kind=st.sampled_from([RunKind.BULK, RunKind.SYNC, RunKind.PROCESS, RunKind.NIGHT]),
    days=st.tuples(st.dates(date(2001, 1, 1), date(2099, 1, 1)), st.integers(0, 90)),
)
def test_slices_cover_every_day_once_and_turns_never_rise(
    kind: RunKind, days: tuple[date, int]
) -> None:
    first = days[0]
    last = first + timedelta(days=days[1])
    run = run_of(kind, first.isoformat(), f"{last:%d.%m.%Y}")
    covered: list[date] = []
    turns = [turn(run)]
    while (left := unread(run)) is not None:
        part = next_slice(run, left)
        covered += list(part)
        run = run.model_copy(update={"next_day": (part.last + timedelta(days=1)).isoformat()})
        turns.append(turn(run))
    assert covered == list(DayRange(first, last)) == list(days_of(run))
    assert turns == sorted(turns, reverse=True)
    assert turns[0] == 0


def test_only_reading_waits_its_turn() -> None:
    late = run_of(RunKind.BULK, "01.11.2026", "19.11.2026", next_day="2026-11-11")
    assert turn(late) == -10
    assert turn(late.model_copy(update={"phase": Phase.EXPORT})) == 0


def test_a_day_is_told_by_its_leads() -> None:
    calls = [(7, None), (7, None), (None, None), (8, SkipReason.SHORT)]
    assert outcome_of(calls, 2, 1.5) == DayOutcome(
        status=DayStatus.COMPLETED, leads_processed=2, calls_saved=2, leads_with_calls=1,
        errors=0, seconds=1.5,
    )  # fmt: skip
    assert outcome_of([], 0, 0).status is DayStatus.COMPLETED_NO_LEADS
    missing = [(None, SkipReason.NOTE_MISSING)]
    assert outcome_of(missing, 0, 0).status is DayStatus.COMPLETED_WITH_ERRORS


@pytest.mark.parametrize(
    ("statuses", "state"),
    [("cc", "completed"), ("cf", "partial"), ("ff", "failed"), ("", "completed")],
)
def test_the_state_of_a_run_is_that_of_its_days(statuses: str, state: str) -> None:
    done = DayOutcome(status=DayStatus.COMPLETED)
    days = [failed_day() if one == "f" else done for one in statuses]
    assert state_of_days(days) == state
    assert joined(days).errors == statuses.count("f")
