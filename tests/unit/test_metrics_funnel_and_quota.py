"""The funnel's nested counts, minutes by period, and the parts of an export."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.report_calls import make_analysis, make_call

from medai.calls.models import Call, SkipReason, Stage
from medai.clinics.models import Clinic, MinuteLimits
from medai.datalens.days import DueDay
from medai.metrics.funnel import funnel_rows
from medai.metrics.quota import past_quota_rows, quota_rows
from medai.processing.export_parts import CALLS_AT_ONCE, in_parts

FIRST = date(2026, 9, 1)
NOW = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)  # a Thursday, week 47


def call(stage: Stage, **changes: Any) -> Call:
    return make_call(stage=stage, **changes)


def counts(one: Call) -> tuple[int, ...]:
    for r in funnel_rows([one]):
        return r.total_calls, r.talk_calls, r.transcribed_calls, r.scored_calls, r.booked_calls
    return ()


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (call(Stage.EXPORTED, converted=True), (1, 1, 1, 1, 1)),
        (call(Stage.ANALYSED), (1, 1, 1, 1, 0)),
        (call(Stage.ANALYSED, analysis=make_analysis(recommendations=())), (1, 1, 1, 1, 0)),
        (call(Stage.NOTED, converted=True), (1, 1, 1, 0, 0)),
        (call(Stage.TRANSCRIBED, analysis=None), (1, 1, 1, 0, 0)),
        (call(Stage.RECORDED, analysis=None, transcript=None), (1, 1, 0, 0, 0)),
        (call(Stage.SKIPPED, skip_reason=SkipReason.SHORT, analysis=None), (1, 0, 0, 0, 0)),
        (call(Stage.SKIPPED, skip_reason=SkipReason.ZERO_DURATION), (1, 0, 0, 0, 0)),
        (call(Stage.SKIPPED, skip_reason=SkipReason.DUPLICATE), ()),
        (call(Stage.SKIPPED, skip_reason=SkipReason.NOTE_LINK), ()),
    ],
)
def test_a_call_counts_as_far_as_it_came(one: Call, expected: tuple[int, ...]) -> None:
    assert counts(one) == expected


def test_the_type_is_known_once_the_call_is_scored() -> None:
    scored, waiting = call(Stage.EXPORTED), call(Stage.TRANSCRIBED, analysis=None)
    assert [row.call_type for row in funnel_rows([scored, waiting])] == ["", "первичка"]


def clinic(**limits: Any) -> Clinic:
    given: dict[str, Any] = {
        "monthly_seconds": 6_000, "weekly_seconds": 1_500, "month": "2026-11", "week": "2026-W47",
        "month_used_seconds": 900, "week_used_seconds": 300,
    }  # fmt: skip
    return Clinic(
        id="1", client_id="c1", name="Улыбка", limits=MinuteLimits(**{**given, **limits}),
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_minutes_of_the_present_month_and_week() -> None:
    month, week = quota_rows(clinic(), NOW)
    assert (month.period_type, month.period_start, month.period_end) == (
        "month", date(2026, 11, 1), date(2026, 11, 30)
    )  # fmt: skip
    assert (month.used_seconds, month.limit_seconds) == (900, 6_000)
    assert (week.period_type, week.period_start, week.period_end) == (
        "week", date(2026, 11, 16), date(2026, 11, 22)
    )  # fmt: skip
    assert (week.used_seconds, week.limit_seconds) == (300, 1_500)


def test_periods_are_those_of_the_clinics_zone() -> None:
    east = clinic().model_copy(update={"timezone": "Asia/Vladivostok"})
    new_year = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)  # 1 January there
    month, week = quota_rows(east, new_year)
    assert (month.period_start, month.used_seconds) == (date(2027, 1, 1), 0)
    assert (week.period_start, week.period_end) == (date(2026, 12, 28), date(2027, 1, 3))


def test_the_past_month_and_week_are_summed_over_remembered_days() -> None:
    days = {"2026-10-31": 40, "2026-11-09": 5, "2026-11-15": 7, "2026-11-16": 100}
    month, week = past_quota_rows(clinic(days=days), NOW)
    assert (month.period_start, month.period_end) == (date(2026, 10, 1), date(2026, 10, 31))
    assert month.used_seconds == 40
    assert (week.period_start, week.period_end) == (date(2026, 11, 9), date(2026, 11, 15))
    assert week.used_seconds == 12
    assert past_quota_rows(clinic(days={}), NOW) == []


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2 * CALLS_AT_ONCE)), max_size=40),
)
def test_parts_hold_every_day_once_and_are_not_too_large(steps: list[tuple[int, int]]) -> None:
    day, days, sizes = FIRST, [], {}
    for gap, size in steps:
        day += timedelta(days=gap)
        days.append(DueDay(day.isoformat(), "c1", day, 1))
        sizes[day] = size
    parts = list(in_parts(days, sizes))
    assert [each for part in parts for each in part] == days
    for part in parts:
        assert len(part) == 1 or sum(sizes[each.day] for each in part) <= CALLS_AT_ONCE
        for before, after in pairwise(part):
            assert after.day - before.day <= timedelta(days=3)
