"""Quiet hours on any clock: over midnight, over changes of the clock, in zones that skip a day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given
from hypothesis import strategies as st

from medai.members.models import QuietHours
from medai.members.rules import free_from, is_quiet

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Vladivostok", "Europe/Berlin",
        "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe",
        "Asia/Kathmandu", "Pacific/Apia", "America/New_York",
    )
]  # fmt: skip
YEAR_2010 = datetime(2010, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

hours = st.integers(0, 23)
quiet_hours = st.builds(QuietHours, first_hour=hours, last_hour=hours)
moments = st.integers(0, 18 * 366 * 24 * 60).map(lambda minutes: YEAR_2010 + minutes * MINUTE)
zones = st.sampled_from(ZONES)


@given(quiet=quiet_hours, moment=moments, tz=zones)
def test_quiet_is_what_the_wall_clock_says(
    quiet: QuietHours, moment: datetime, tz: ZoneInfo
) -> None:
    hour, inside = quiet.first_hour, set()
    while hour != quiet.last_hour:
        inside.add(hour)
        hour = (hour + 1) % 24
    assert is_quiet(quiet, moment, tz) == (moment.astimezone(tz).hour in inside)


@given(quiet=quiet_hours, moment=moments, tz=zones)
@example(  # Cairo's clocks leapt over the hour from midnight: quiet until 0 ends at 1
    quiet=QuietHours(first_hour=20, last_hour=0),
    moment=datetime(2024, 4, 25, 20, 30, tzinfo=UTC),
    tz=ZoneInfo("Africa/Cairo"),
)
@example(  # Samoa had no 30 December 2011
    quiet=QuietHours(first_hour=22, last_hour=8),
    moment=datetime(2011, 12, 30, 9, 30, tzinfo=UTC),
    tz=ZoneInfo("Pacific/Apia"),
)
@example(  # Berlin's hour from 2 to 3 comes twice
    quiet=QuietHours(first_hour=22, last_hour=3),
    moment=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    tz=ZoneInfo("Europe/Berlin"),
)
def test_what_waits_comes_when_they_end_and_not_before(
    quiet: QuietHours, moment: datetime, tz: ZoneInfo
) -> None:
    free = free_from(quiet, moment, tz)
    assert free.tzinfo is UTC
    if not is_quiet(quiet, moment, tz):
        assert free == moment
        return
    assert free > moment
    assert not is_quiet(quiet, free, tz)
    # Not a minute too late: it is quiet all the way.
    length = int((free - moment) / MINUTE)
    for minutes in (*range(0, length, 7), length):
        assert is_quiet(quiet, min(moment + minutes * MINUTE, free - MINUTE / 60), tz)


@given(quiet=quiet_hours, moment=moments, tz=zones)
def test_nothing_waits_longer_than_two_days(
    quiet: QuietHours, moment: datetime, tz: ZoneInfo
) -> None:
    assert free_from(quiet, moment, tz) - moment < timedelta(days=2)


@given(hour=hours, moment=moments, tz=zones)
def test_equal_hours_are_none(hour: int, moment: datetime, tz: ZoneInfo) -> None:
    none = QuietHours(first_hour=hour, last_hour=hour)
    assert free_from(none, moment, tz) == moment


@given(quiet=quiet_hours, moment=moments, tz=zones)
def test_what_waited_waits_no_more(quiet: QuietHours, moment: datetime, tz: ZoneInfo) -> None:
    free = free_from(quiet, moment, tz)
    assume(free > moment)
    assert free_from(quiet, free, tz) == free


def test_a_night_in_moscow() -> None:
    moscow, night = ZoneInfo("Europe/Moscow"), QuietHours(first_hour=22, last_hour=8)
    late = datetime(2026, 11, 23, 22, 0, tzinfo=moscow)
    morning = datetime(2026, 11, 24, 8, 0, tzinfo=moscow)
    assert free_from(night, late, moscow) == morning
    assert free_from(night, late - timedelta(microseconds=1), moscow) < late
    assert free_from(night, morning, moscow) == morning
