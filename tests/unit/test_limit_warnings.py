"""Warnings at 80, 90 and 100 %: once per period, again after minutes were added and spent."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medai.clinics.models import MinuteLimits
from medai.limits import quota, warnings

TZ = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
Said = list[tuple[str, int]]


def used(month: int, week: int, *, limit: int = 1000) -> MinuteLimits:
    """Present counters; the week's limit is the month's."""
    fresh = MinuteLimits(monthly_seconds=limit, weekly_seconds=limit)
    counters = {"month_used_seconds": month, "week_used_seconds": week}
    return quota.at(fresh, NOW, TZ).model_copy(update=counters)


def said(before: MinuteLimits, after: MinuteLimits) -> Said:
    return [(each.period, each.percent) for each in warnings.newly(before, after)]


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (799, []),
        (800, [("month", 80)]),
        (899, [("month", 80)]),
        (900, [("month", 80), ("month", 90)]),
        (999, [("month", 80), ("month", 90)]),
        (1000, [("month", 80), ("month", 90), ("month", 100)]),
        (1200, [("month", 80), ("month", 90), ("month", 100)]),
    ],
)
def test_thresholds(month: int, expected: Said) -> None:
    limits = used(month, 0)
    noticed = warnings.noticed(limits, NOW, TZ)
    assert said(limits, noticed) == expected
    assert warnings.noticed(noticed, NOW, TZ) == noticed
    assert all(each.key == "2026-11" and each.at == NOW for each in noticed.warnings)


def test_month_and_week_warn_apart_and_anew_in_their_next_period() -> None:
    limits = warnings.noticed(used(800, 950), NOW, TZ)
    assert said(used(0, 0), limits) == [("month", 80), ("week", 80), ("week", 90)]
    monday = NOW + timedelta(days=5)
    assert [each.period for each in warnings.present(limits, monday, TZ)] == ["month"]
    spent = quota.at(limits, monday, TZ).model_copy(update={"week_used_seconds": 850})
    again = warnings.noticed(spent, monday, TZ)
    assert said(limits, again) == [("week", 80)]
    assert again.warnings[-1].key == "2026-W48"


def test_a_warning_that_holds_no_longer_may_come_again() -> None:
    limits = warnings.noticed(used(950, 0), NOW, TZ)
    more = limits.model_copy(update={"monthly_seconds": 1150})  # 82.6 %
    kept = warnings.withdrawn(more, NOW, TZ)
    assert [each.percent for each in kept.warnings] == [80]
    later = warnings.noticed(kept.model_copy(update={"month_used_seconds": 1040}), NOW, TZ)
    assert said(kept, later) == [("month", 90)]


def test_warnings_of_earlier_periods_stay() -> None:
    limits = warnings.noticed(used(950, 0), NOW, TZ)
    december = NOW + timedelta(days=20)
    assert warnings.withdrawn(limits, december, TZ).warnings == limits.warnings
    assert warnings.present(limits, december, TZ) == ()


def test_a_refusal_near_the_end_means_spent() -> None:
    limits = warnings.noticed(used(970, 0), NOW, TZ)
    refused = warnings.refused(limits, 60, NOW, TZ)
    assert said(limits, refused) == [("month", 100)]
    assert warnings.refused(refused, 60, NOW, TZ) == refused


def test_a_refusal_of_a_long_call_in_the_middle_means_nothing() -> None:
    limits = used(500, 0)
    assert warnings.refused(limits, 600, NOW, TZ) == limits


def test_a_refusal_because_of_calls_under_way_means_nothing() -> None:
    limits = quota.reserve(warnings.noticed(used(950, 0), NOW, TZ), "a", 50, NOW, TZ)
    assert warnings.refused(limits, 40, NOW, TZ) == limits


def test_the_list_stays_short() -> None:
    limits, now = used(0, 0), NOW
    for _ in range(100):
        spent = {"week_used_seconds": 1000, "month_used_seconds": 0}
        limits = warnings.noticed(quota.at(limits, now, TZ).model_copy(update=spent), now, TZ)
        now += timedelta(days=7)
    assert len(limits.warnings) == warnings.KEPT
    assert limits.warnings[-1].at == now - timedelta(days=7)


@pytest.mark.parametrize(("used", "limit", "percent"), [(0, 0, 0), (1, 0, 100), (1, 4, 25)])
def test_shares(used: int, limit: int, percent: float) -> None:
    assert warnings.percent_used(used, limit) == percent


@given(
    amounts=st.lists(st.integers(0, 300), max_size=30),
    limit=st.integers(1, 2000),
    days=st.lists(st.integers(0, 4), min_size=30, max_size=30),
)
def test_each_threshold_is_said_once_per_period(
    amounts: list[int], limit: int, days: list[int]
) -> None:
    limits = MinuteLimits(monthly_seconds=limit, weekly_seconds=limit)
    now, heard = NOW, list[tuple[str, str, int]]()
    for number, amount in enumerate(amounts):
        now += timedelta(days=days[number])
        if quota.refusing(limits, amount, now, TZ):
            continue
        call = f"call-{number}"
        held = quota.reserve(limits, call, amount, now, TZ)
        after = warnings.noticed(quota.settle(held, call, amount, now, TZ), now, TZ)
        heard += [(each.period, each.key, each.percent) for each in warnings.newly(limits, after)]
        limits = quota.release(after, call)
        for kind, share in (
            ("month", limits.month_used_seconds / limit), ("week", limits.week_used_seconds / limit)
        ):  # fmt: skip
            key = limits.month if kind == "month" else limits.week
            said = {percent for period, k, percent in heard if (period, k) == (kind, key)}
            assert said == {percent for percent in (80, 90, 100) if share * 100 >= percent}
    assert len(heard) == len(set(heard))
