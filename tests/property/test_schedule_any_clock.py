"""Nights on any clock: each local day once, however the ticks come."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from medai.processing.schedule.rules import (
    MAX_MISSED_DAYS,
    Activity,
    Begun,
    Due,
    Plan,
    due_activities,
    night_days,
    slot,
    slot_start,
    weeks_to_conclude,
)

ZONES = st.sampled_from(["Europe/Moscow", "Asia/Kamchatka", "Europe/Berlin", "America/Santiago"])
START = datetime(2024, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 6 * 365 * 86_400).map(lambda s: START + timedelta(seconds=s))
HOURS = st.integers(0, 23)


@given(ZONES, HOURS, MOMENTS)
def test_the_slot_is_the_newest_hour_that_has_come(name: str, hour: int, now: datetime) -> None:
    tz = ZoneInfo(name)
    day = slot(hour, tz, now)
    assert slot_start(day, hour, tz) <= now < slot_start(day + timedelta(days=1), hour, tz)


@given(ZONES, HOURS, MOMENTS, st.lists(st.integers(1, 40 * 3600), min_size=3, max_size=30))
def test_every_day_is_covered_in_order_and_no_slot_begins_twice(
    name: str, hour: int, start: datetime, steps: list[int]
) -> None:
    """Ticks seconds to days apart: the business days of the nights leave no gap."""
    plan = Plan(ZoneInfo(name), night_hour=hour)
    now, begun, nights = start, dict[Activity, Begun](), list[Due]()
    for step in steps:
        now += timedelta(seconds=step)
        for one in due_activities(plan, now, begun, since=start):
            begun[one.activity] = Begun(now, one.day)
            nights += [one] if one.activity is Activity.NIGHT else []
        again = due_activities(plan, now, begun, since=start)
        assert again == []
    days = [night_days(one, hour) for one in nights]
    assert [one.day for one in nights] == sorted({one.day or date.min for one in nights})
    for earlier, later in pairwise(days):
        assert later.first == earlier.last


@given(MOMENTS, st.integers(0, 60))
def test_catching_up_is_bounded(moment: datetime, missed: int) -> None:
    due = Due(Activity.NIGHT, moment.date(), moment.date() - timedelta(days=missed))
    days = night_days(due, 21)
    assert 1 <= len(list(days)) <= MAX_MISSED_DAYS
    assert len(weeks_to_conclude(due)) <= MAX_MISSED_DAYS // 7
