"""The forecast: sensible on the first days, aware of weekdays, and never later for more use."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medai.clinics.models import MinuteLimits, Reservation
from medai.kit.days import business_day
from medai.limits import periods, quota
from medai.limits.forecast import Forecast, forecast

MOSCOW = ZoneInfo("Europe/Moscow")
THURSDAY = date(2026, 11, 19)
NOON = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)


def limits(
    days: dict[str, int], *, month: int, week: int, now: datetime = NOON, tz: ZoneInfo = MOSCOW
) -> MinuteLimits:
    """Limits whose counters follow from the settled seconds of days."""
    fresh = quota.at(MinuteLimits(monthly_seconds=month, weekly_seconds=week), now, tz)
    today = business_day(now, tz)
    monday = today - timedelta(days=today.weekday())
    return fresh.model_copy(
        update={
            "days": days,
            "month_used_seconds": sum(n for day, n in days.items() if day[:7] == fresh.month),
            "week_used_seconds": sum(n for d, n in days.items() if date.fromisoformat(d) >= monday),
        }
    )


def daily(amount: int, *, weeks: int = 4, rest: tuple[int, ...] = ()) -> dict[str, int]:
    """The same amount on every day before THURSDAY but the weekdays of rest."""
    days = (THURSDAY - timedelta(days=n) for n in range(1, weeks * 7 + 1))
    return {day.isoformat(): 0 if day.weekday() in rest else amount for day in days}


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def test_a_steady_pace_ends_where_arithmetic_says() -> None:
    # 18 days of 100 in November are used; half of Thursday is left: 2,450 minus 1,800 is 650.
    found = forecast(limits(daily(100), month=2450, week=10_000), NOON, MOSCOW)
    assert found == Forecast(when("2026-11-26T00:00:00"), None)
    # Three days of 100 are used this week; 130 more is half of today and 80 % of Friday.
    found = forecast(limits(daily(100), month=99_999, week=430), NOON, MOSCOW)
    assert found.week == when("2026-11-20T19:12:00")


def test_enough_is_none() -> None:
    assert forecast(limits(daily(100), month=9999, week=9999), NOON, MOSCOW) == Forecast(None, None)


def test_a_spent_limit_has_run_out_now() -> None:
    assert forecast(limits(daily(100), month=1800, week=100), NOON, MOSCOW) == Forecast(NOON, NOON)
    assert forecast(MinuteLimits(monthly_seconds=0), NOON, MOSCOW).month == NOON


def test_a_clinic_that_rests_on_weekends_does_not_run_dry_on_one() -> None:
    days = daily(100, rest=(5, 6))
    # Used: 3 days of this week. Left for half of Thursday and Friday: exactly enough.
    assert forecast(limits(days, month=99_999, week=451), NOON, MOSCOW).week is None
    month = forecast(limits(days, month=1000 + 200 + 350, week=9999), NOON, MOSCOW).month
    assert month is not None
    assert month.astimezone(MOSCOW).date().weekday() not in (5, 6)


def test_the_first_day_of_a_month_knows_the_month_before() -> None:
    now = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
    days = {(date(2026, 12, 1) - timedelta(days=n)).isoformat(): 100 for n in range(1, 29)}
    found = forecast(limits(days, month=1000, week=9999, now=now), now, MOSCOW)
    assert found.month is not None
    assert found.month.astimezone(MOSCOW).date() == date(2026, 12, 11)


def test_a_clinic_of_today_is_measured_by_today() -> None:
    days = {THURSDAY.isoformat(): 190}
    assert forecast(limits(days, month=5000, week=5000), NOON, MOSCOW) == Forecast(None, None)
    hurried = forecast(limits(days, month=200, week=5000), NOON, MOSCOW).month
    assert hurried is not None
    assert hurried.astimezone(MOSCOW).date() == date(2026, 11, 20)


def test_an_upgraded_clinic_without_days_is_measured_by_its_month() -> None:
    known = limits({}, month=3000, week=99_999).model_copy(update={"month_used_seconds": 1900})
    found = forecast(known, NOON, MOSCOW).month  # 100 a day, 1,100 left
    assert found is not None
    assert found.astimezone(MOSCOW).date() == date(2026, 11, 30)


def test_what_calls_hold_counts() -> None:
    free = limits(daily(100), month=2450, week=10_000)
    held = free.model_copy(update={"reservations": {"a": Reservation(seconds=100)}})
    assert forecast(held, NOON, MOSCOW).month == when("2026-11-25T00:00:00")


ZONES = st.sampled_from(
    ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka", "Europe/Berlin", "Asia/Tehran",
     "America/Havana"]
).map(ZoneInfo)  # fmt: skip
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(tzinfo=UTC)
)
AMOUNTS = st.lists(st.integers(0, 200), min_size=1, max_size=30)


@given(
    now=MOMENTS, tz=ZONES, amounts=AMOUNTS, where=st.integers(0, 29), more=st.integers(0, 500),
    held=st.integers(0, 100), month=st.integers(0, 6000), week=st.integers(0, 1500),
)  # fmt: skip
def test_more_use_is_never_foretold_to_last_longer(
    now: datetime, tz: ZoneInfo, amounts: list[int], where: int, more: int, held: int,
    month: int, week: int,
) -> None:  # fmt: skip
    today = business_day(now, tz)
    days = {(today - timedelta(days=n)).isoformat(): each for n, each in enumerate(amounts)}
    chosen = list(days)[where % len(days)]
    little = limits(days, month=month, week=week, now=now, tz=tz)
    much = limits({**days, chosen: days[chosen] + more}, month=month, week=week, now=now, tz=tz)
    if held:
        reserved = {"reservations": {"a": Reservation(seconds=held)}}
        much = much.model_copy(update=reserved)
    before, after = forecast(little, now, tz), forecast(much, now, tz)
    for earlier, later in ((after.month, before.month), (after.week, before.week)):
        assert later is None or (earlier is not None and earlier <= later + timedelta(seconds=1))


@given(now=MOMENTS, tz=ZONES, amounts=AMOUNTS, month=st.integers(0, 9000))
def test_the_end_lies_between_now_and_the_reset(
    now: datetime, tz: ZoneInfo, amounts: list[int], month: int
) -> None:
    today = business_day(now, tz)
    days = {(today - timedelta(days=n)).isoformat(): each for n, each in enumerate(amounts)}
    known = limits(days, month=month, week=month, now=now, tz=tz)
    found = forecast(known, now, tz)
    for kind, moment in (("month", found.month), ("week", found.week)):
        if moment is not None:
            key = known.month if kind == "month" else known.week
            end = periods.end_of("month" if kind == "month" else "week", key, tz)
            assert now <= moment <= end


@pytest.mark.parametrize("limit", [1000, 2000, 3000])
def test_a_bigger_limit_never_ends_earlier(limit: int) -> None:
    known = limits(daily(100), month=limit, week=limit)
    more = known.model_copy(update={"monthly_seconds": limit + 100})
    ours, theirs = forecast(known, NOON, MOSCOW).month, forecast(more, NOON, MOSCOW).month
    assert theirs is None or (ours is not None and ours <= theirs)
