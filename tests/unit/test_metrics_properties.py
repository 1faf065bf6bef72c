"""Algebra of the rows: whatever the calls and their order, sums over rows are sums over calls."""

import random
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.report_calls import Links, many_calls

from medai.calls.models import Call
from medai.metrics.criteria import criterion_rows
from medai.metrics.daily import daily_rows
from medai.metrics.details import detail_rows

call_lists = st.builds(
    lambda count, seed: many_calls(count, seed=seed),
    st.integers(0, 25),
    st.integers(0, 10_000),
)


def _visible(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.analysis and call.analysis.recommendations]


@settings(deadline=None, max_examples=40)
@given(calls=call_lists, seed=st.integers(0, 1000))
def test_the_order_of_calls_does_not_matter(calls: list[Call], seed: int) -> None:
    shuffled = random.Random(seed).sample(calls, len(calls))
    assert daily_rows(shuffled) == daily_rows(calls)
    assert criterion_rows(shuffled) == criterion_rows(calls)
    assert detail_rows(shuffled, Links()) == detail_rows(calls, Links())


@settings(deadline=None, max_examples=40)
@given(calls=call_lists)
def test_sums_over_daily_rows_are_sums_over_calls(calls: list[Call]) -> None:
    rows, visible = daily_rows(calls), _visible(calls)
    scores = [Decimal(str(call.analysis.overall)) for call in visible if call.analysis]
    assert sum(row.total_calls for row in rows) == len(visible)
    assert sum(row.converted_calls for row in rows) == sum(call.converted for call in visible)
    assert sum(row.total_duration_seconds for row in rows) == sum(
        call.duration_seconds for call in visible
    )
    assert sum((row.total_overall_score for row in rows), Decimal()) == sum(scores, Decimal())
    assert sum(row.scored_calls_count for row in rows) == sum(score != 0 for score in scores)
    assert sum(row.calls_with_processing_speed_count for row in rows) == sum(
        call.processing_speed_minutes != 0 for call in visible
    )


@settings(deadline=None, max_examples=40)
@given(calls=call_lists)
def test_sums_over_criterion_rows_are_sums_over_scores(calls: list[Call]) -> None:
    scores = [
        score
        for call in _visible(calls)
        if call.analysis
        for score in call.analysis.scores.values()
        if score is not None
    ]
    rows = criterion_rows(calls)
    assert sum(row.scored_calls_count for row in rows) == len(scores)
    assert sum((row.total_score for row in rows), Decimal()) == sum(scores)


@settings(deadline=None, max_examples=40)
@given(calls=call_lists)
def test_ratios_follow_from_the_sums_beside_them(calls: list[Call]) -> None:
    for row in daily_rows(calls):
        assert 0 <= row.conversion_rate <= 1
        assert row.conversion_rate == Decimal(row.converted_calls) / row.total_calls
        if row.scored_calls_count:
            assert row.fg_percent == row.total_overall_score / row.scored_calls_count * 10
        else:
            assert row.fg_percent is None
    for criterion in criterion_rows(calls):
        assert criterion.avg_score == criterion.total_score / criterion.scored_calls_count


@settings(deadline=None, max_examples=20)
@given(calls=call_lists)
def test_each_combination_of_labels_is_one_row(calls: list[Call]) -> None:
    keys = [
        (row.metric_date, row.client_id, row.subdomain, row.administrator, row.call_direction,
         row.source, row.call_type)
        for row in daily_rows(calls)
    ]  # fmt: skip
    assert len(keys) == len(set(keys))
    assert all(None not in key for key in keys)
