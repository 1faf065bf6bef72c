"""Minute quotas: reserve, settle, release, give up, and when minutes come back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from medai.clinics.models import MinuteLimits, Reservation
from medai.errors import QuotaExceededError
from medai.limits import periods, quota

TZ = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""A Wednesday noon in Moscow."""


def limits(month: int = 1000, week: int = 500) -> MinuteLimits:
    return MinuteLimits(monthly_seconds=month, weekly_seconds=week)


def reserved(held: MinuteLimits, call: str, seconds: float, now: datetime = NOW) -> MinuteLimits:
    return quota.reserve(held, call, seconds, now, TZ)


def settled(held: MinuteLimits, call: str, seconds: float, now: datetime = NOW) -> MinuteLimits:
    return quota.settle(held, call, seconds, now, TZ)


def used(held: MinuteLimits) -> tuple[int, int, int]:
    return held.month_used_seconds, held.week_used_seconds, quota.held_seconds(held)


def test_the_defaults_are_those_of_the_contract() -> None:
    assert (MinuteLimits().monthly_seconds, MinuteLimits().weekly_seconds) == (180_000, 45_000)


def test_reserve_settle_release() -> None:
    held = reserved(limits(), "a", 60.2)
    assert used(held) == (0, 0, 61)
    held = settled(held, "a", 58.1)
    assert used(held) == (59, 59, 0)
    held = quota.release(held, "a")
    assert used(held) == (59, 59, 0)
    assert held.reservations == {}


def test_a_call_is_reserved_and_counted_once() -> None:
    held = reserved(reserved(limits(), "a", 100), "a", 100)
    assert quota.held_seconds(held) == 100
    held = settled(settled(held, "a", 100), "a", 100)
    assert used(held) == (100, 100, 0)
    assert used(reserved(held, "a", 100)) == (100, 100, 0)


def test_settling_without_a_reservation_counts_nothing() -> None:
    assert used(settled(limits(), "a", 100)) == (0, 0, 0)


def test_a_released_reservation_is_free_again() -> None:
    held = quota.release(reserved(limits(week=100), "a", 100), "a")
    assert used(reserved(held, "b", 100)) == (0, 0, 100)


def test_giving_up_frees_what_is_held_and_keeps_what_is_used() -> None:
    assert quota.give_up(reserved(limits(), "a", 100), "a").reservations == {}
    assert quota.give_up(limits(), "a") == limits()
    paid = quota.give_up(settled(reserved(limits(), "a", 100), "a", 100), "a")
    # The repeated job meets the same paid recognition: it counts nothing again.
    assert used(settled(reserved(paid, "a", 100), "a", 100)) == (100, 100, 0)


def test_a_limit_may_be_used_up_but_not_exceeded() -> None:
    held = reserved(limits(week=100), "a", 100)
    with pytest.raises(QuotaExceededError, match="Недельный"):
        reserved(held, "b", 1)


def test_the_month_is_named_before_the_week() -> None:
    with pytest.raises(QuotaExceededError, match="Месячный"):
        reserved(limits(month=10, week=10), "a", 11)


def test_counters_of_another_month_and_week_are_zero() -> None:
    held = settled(reserved(limits(), "a", 100), "a", 100)
    next_week, next_month = NOW + timedelta(days=5), NOW + timedelta(days=14)
    assert used(quota.at(held, next_week, TZ)) == (100, 0, 0)
    assert used(quota.at(held, next_month, TZ)) == (0, 0, 0)


def test_a_settled_call_that_is_repeated_next_month_counts_nothing_again() -> None:
    held = settled(reserved(limits(), "a", 100), "a", 100)
    later = NOW + timedelta(days=14)
    assert used(settled(reserved(held, "a", 100, later), "a", 100, later)) == (0, 0, 0)
    forgotten = quota.at(held, NOW + quota.SETTLED_KEPT, TZ)
    assert forgotten.reservations == {}


def test_settled_calls_of_earlier_versions_end_with_their_month() -> None:
    old = Reservation(seconds=100, settled=True)
    held = quota.at(limits(), NOW, TZ).model_copy(update={"reservations": {"a": old}})
    assert quota.at(held, NOW + timedelta(days=5), TZ).reservations == {"a": old}
    assert quota.at(held, NOW + timedelta(days=14), TZ).reservations == {}


def test_nothing_is_ever_negative() -> None:
    assert used(settled(reserved(limits(), "a", -5), "a", -7)) == (0, 0, 0)


def test_a_clock_that_lags_behind_does_not_bring_last_month_back() -> None:
    first = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    held = settled(reserved(limits(), "a", 100, first), "a", 100, first)
    for late in (timedelta(minutes=1), timedelta(hours=20)):
        lagging = first - late
        after = settled(reserved(held, "b", 50, lagging), "b", 50, lagging)
        assert used(quota.at(after, first, TZ)) == (150, 150, 0)
        assert quota.next_reset(after, lagging, TZ, seconds=9999) == datetime(2027, 1, 1, tzinfo=TZ)


def test_a_clock_that_was_far_ahead_does_not_stop_the_clinic() -> None:
    wrong = NOW + timedelta(days=400)
    held = settled(reserved(limits(), "a", 100, wrong), "a", 100, wrong)
    assert used(quota.at(held, NOW, TZ)) == (0, 0, 0)


def test_what_is_held_outlives_the_month() -> None:
    held = reserved(limits(), "a", 100)
    later = NOW + timedelta(days=14)
    assert used(settled(held, "a", 90, later)) == (90, 90, 0)


@pytest.mark.parametrize(
    ("before", "after", "zone"),
    [
        ("2026-11-30T20:59:59", "2026-11-30T21:00:00", "Europe/Moscow"),
        ("2026-12-31T18:59:59", "2026-12-31T19:00:00", "Asia/Yekaterinburg"),
        ("2026-12-31T23:59:59", "2027-01-01T00:00:00", "UTC"),
    ],
)
def test_months_end_on_the_clinics_clock(before: str, after: str, zone: str) -> None:
    tz = ZoneInfo(zone)
    moments = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (before, after)]
    held = quota.settle(quota.reserve(limits(), "a", 9, moments[0], tz), "a", 9, moments[0], tz)
    assert [quota.at(held, moment, tz).month_used_seconds for moment in moments] == [9, 0]


def test_weeks_are_iso_weeks_over_the_year_end() -> None:
    monday = datetime(2026, 12, 28, tzinfo=UTC).date()
    assert periods.week_key(monday) == periods.week_key(datetime(2027, 1, 3, tzinfo=UTC).date())
    assert periods.week_key(monday) == "2026-W53"
    assert periods.week_key(datetime(2027, 1, 4, tzinfo=UTC).date()) == "2027-W01"


def test_a_spent_week_comes_back_on_monday() -> None:
    held = settled(reserved(limits(week=100), "a", 100), "a", 100)
    assert quota.next_reset(held, NOW, TZ) == datetime(2026, 11, 23, tzinfo=TZ)


def test_a_spent_month_comes_back_on_the_first() -> None:
    held = settled(reserved(limits(month=100), "a", 100), "a", 100)
    assert quota.next_reset(held, NOW, TZ) == datetime(2026, 12, 1, tzinfo=TZ)


def test_a_call_that_does_not_fit_into_the_month_waits_for_the_first() -> None:
    held = settled(reserved(limits(month=100, week=90), "a", 90), "a", 90)
    assert quota.next_reset(held, NOW, TZ, seconds=10) == datetime(2026, 11, 23, tzinfo=TZ)
    assert quota.next_reset(held, NOW, TZ, seconds=10.1) == datetime(2026, 12, 1, tzinfo=TZ)


def test_the_reset_over_the_year_end() -> None:
    december = datetime(2026, 12, 31, 9, 0, tzinfo=UTC)
    held = settled(reserved(limits(month=10), "a", 10, december), "a", 10, december)
    assert quota.next_reset(held, december, TZ) == datetime(2027, 1, 1, tzinfo=TZ)


def test_a_call_that_only_calls_under_way_keep_out_is_tried_again_soon() -> None:
    held = reserved(limits(week=100), "a", 100)
    with pytest.raises(QuotaExceededError):
        reserved(held, "b", 10)
    assert quota.next_reset(held, NOW, TZ, seconds=10) == NOW + quota.HELD_RETRY
    assert used(reserved(quota.give_up(held, "a"), "b", 10, NOW + quota.HELD_RETRY)) == (0, 0, 10)


def test_only_what_is_held_for_long_is_freed() -> None:
    held = reserved(reserved(limits(), "old", 10), "settled", 20)
    held = settled(held, "settled", 20)
    later = NOW + timedelta(hours=2)
    held = reserved(held, "fresh", 30, later)
    everybody = ("old", "settled", "fresh", "unknown")
    freed = quota.free(held, everybody, later - timedelta(hours=1))
    assert sorted(freed.reservations) == ["fresh", "settled"]
    again = reserved(held, "old", 10, later)
    assert quota.held_since(again, later - timedelta(hours=1)) == ()
