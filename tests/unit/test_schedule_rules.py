"""When activities are due on a clinic's own clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from medai.kit.days import DayRange
from medai.processing.schedule.rules import (
    Activity,
    Begun,
    Due,
    Plan,
    due_activities,
    months_to_conclude,
    night_days,
    slot,
    slot_start,
    weeks_beginning_in,
    weeks_to_conclude,
)

MOSCOW, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Vladivostok")
BERLIN = ZoneInfo("Europe/Berlin")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def night(plan: Plan, now: datetime, last: Begun | None) -> Due | None:
    """The night that is due, if one is."""
    begun = {Activity.NIGHT: last} if last else {}
    due = due_activities(plan, now, begun, since=LONG_AGO)
    return next((one for one in due if one.activity is Activity.NIGHT), None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_hour_is_the_clinics() -> None:
    last = Begun(at("2026-11-18T18:00"), date(2026, 11, 18))
    assert night(Plan(MOSCOW), at("2026-11-19T17:59"), last) is None
    assert night(Plan(MOSCOW), at("2026-11-19T18:00"), last) is not None
    assert night(Plan(VLADIVOSTOK), at("2026-11-19T11:00"), last) is not None


def test_a_service_that_was_off_makes_up_for_its_days_within_bounds() -> None:
    last = Begun(at("2026-11-15T18:00"), date(2026, 11, 15))
    due = night(Plan(MOSCOW), at("2026-11-19T23:30"), last)
    assert due is not None
    assert night_days(due, 21) == DayRange(date(2026, 11, 15), date(2026, 11, 20) - timedelta(1))
    old = Begun(at("2026-01-01T18:00"), date(2026, 1, 1))
    due = night(Plan(MOSCOW), at("2026-11-19T23:30"), old)
    assert due is not None
    assert night_days(due, 21) == DayRange(date(2026, 11, 6), date(2026, 11, 19))


def test_a_night_in_the_small_hours_ends_the_day_before() -> None:
    due = Due(Activity.NIGHT, date(2026, 3, 1), date(2026, 2, 28))
    assert night_days(due, 1) == DayRange(date(2026, 2, 27), date(2026, 2, 28))


def test_a_new_clinic_waits_for_its_first_hour() -> None:
    now, connected = at("2026-11-19T20:00"), at("2026-11-19T19:00")
    due = due_activities(Plan(MOSCOW), now, {}, since=connected)
    assert {one.activity for one in due} == {Activity.POLL, Activity.LINKS, Activity.EXPORT}


def test_hours_that_do_not_exist_or_come_twice_begin_once() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert slot(2, BERLIN, slot_start(spring, 2, BERLIN)) == spring
    assert slot_start(autumn, 2, BERLIN) == at("2026-10-25T00:00")
    begun = Begun(at("2026-10-25T00:00"), autumn)
    assert night(Plan(BERLIN, night_hour=2), at("2026-10-25T01:00"), begun) is None


@pytest.mark.parametrize(
    ("now", "due"),
    [("2026-11-19T11:50", False), ("2026-11-19T12:15", True), ("2026-11-19T11:00", True)],
)
def test_a_clock_set_back_keeps_nobody_waiting(now: str, due: bool) -> None:
    begun = {Activity.POLL: Begun(at("2026-11-19T11:45"))}
    if now.endswith("12:15"):
        begun = {Activity.POLL: Begun(at("2026-11-19T12:00"))}
    found = due_activities(Plan(MOSCOW), at(now), begun, since=LONG_AGO)
    assert (Activity.POLL in {one.activity for one in found}) is due


def test_a_clock_that_had_run_wild_does_not_stop_the_nights() -> None:
    wild = Begun(at("2031-01-01T18:00"), date(2031, 1, 1))
    due = night(Plan(MOSCOW), at("2026-11-19T19:00"), wild)
    assert due == Due(Activity.NIGHT, date(2026, 11, 19), date(2026, 11, 19))
    corrected = Begun(at("2026-11-19T18:00"), date(2026, 11, 19))
    assert night(Plan(MOSCOW), at("2026-11-19T17:59"), corrected) is None


def test_conclusions_of_mondays_and_firsts() -> None:
    monday = Due(Activity.NIGHT, date(2026, 11, 16), date(2026, 11, 15))
    assert weeks_to_conclude(monday) == [DayRange(date(2026, 11, 9), date(2026, 11, 15))]
    assert months_to_conclude(monday) == []
    new_year = Due(Activity.NIGHT, date(2027, 1, 2), date(2026, 12, 31))
    assert months_to_conclude(new_year) == [date(2026, 12, 1)]
    missed = Due(Activity.NIGHT, date(2026, 11, 18), date(2026, 11, 13))
    assert weeks_to_conclude(missed) == [DayRange(date(2026, 11, 9), date(2026, 11, 15))]


def test_weeks_of_a_month_begin_in_it() -> None:
    weeks = weeks_beginning_in(date(2026, 11, 1))
    assert [week.first.day for week in weeks] == [2, 9, 16, 23, 30]
    assert weeks_beginning_in(date(2027, 2, 1))[0].first == date(2027, 2, 1)
