"""Quiet hours on any clock: over midnight, over changes of the clock, in zones that skip a day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from medai.digests.moments import is_quiet
from medai.members.models import QuietHours

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


@given(hour=hours, moment=moments, tz=zones)
def test_equal_hours_are_none(hour: int, moment: datetime, tz: ZoneInfo) -> None:
    assert not is_quiet(QuietHours(first_hour=hour, last_hour=hour), moment, tz)


def test_a_night_in_moscow() -> None:
    moscow, night = ZoneInfo("Europe/Moscow"), QuietHours(first_hour=22, last_hour=8)
    late = datetime(2026, 11, 23, 22, 0, tzinfo=moscow)
    morning = datetime(2026, 11, 24, 8, 0, tzinfo=moscow)
    assert is_quiet(night, late, moscow)
    assert not is_quiet(night, late - timedelta(microseconds=1), moscow)
    assert is_quiet(night, morning - timedelta(microseconds=1), moscow)
    assert not is_quiet(night, morning, moscow)
