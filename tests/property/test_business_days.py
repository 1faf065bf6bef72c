"""Business days cover time exactly once, whatever clocks do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given
from hypothesis import strategies as st

from medai.kit.clock import from_unix
from medai.kit.days import DayRange, business_day, day_window, parse_range, range_window, week_start
from medai.kit.phones import comparable, digits, masked
from medai.kit.text import clean, shortened

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
MOMENTS = st.integers(631_152_000, 2_114_380_800).map(from_unix)
"""From 1990 to 2037."""
DAYS = st.dates(date(1990, 1, 1), date(2037, 1, 1))
TYPED_DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
"""What people may type: other years are typing mistakes (kit/days.py)."""
HAVANA, SAO_PAULO, APIA = map(ZoneInfo, ("America/Havana", "America/Sao_Paulo", "Pacific/Apia"))


@given(MOMENTS, ZONES)
@example(datetime(2026, 11, 1, 4, 30, tzinfo=UTC), HAVANA)  # midnight happens twice
@example(datetime(2018, 11, 4, 3, 0, tzinfo=UTC), SAO_PAULO)  # midnight does not happen
@example(datetime(2011, 12, 30, 10, 0, tzinfo=UTC), APIA)  # a whole day does not happen
def test_every_moment_lies_in_its_own_day_and_in_no_other(moment: datetime, tz: ZoneInfo) -> None:
    day = business_day(moment, tz)
    assert moment in day_window(day, tz)
    for other in (-2, -1, 1, 2):
        assert moment not in day_window(day + timedelta(days=other), tz)


@given(DAYS, st.integers(0, 40), ZONES)
@example(date(2011, 12, 28), 5, APIA)
def test_days_follow_each_other_without_gap_or_overlap(
    first: date, length: int, tz: ZoneInfo
) -> None:
    days = DayRange(first, first + timedelta(days=length))
    windows = [day_window(day, tz) for day in days]
    assert all(one.end == other.start for one, other in pairwise(windows))
    whole = range_window(days, tz)
    assert (whole.start, whole.end) == (windows[0].start, windows[-1].end)


@given(TYPED_DAYS, TYPED_DAYS)
def test_both_date_forms_of_a_range_are_read_alike(one: date, other: date) -> None:
    first, last = sorted((one, other))
    last = min(last, first + timedelta(days=369))
    days = parse_range(f"{first:%d.%m.%Y}", last.isoformat())
    assert days == DayRange(first, last)
    assert len(list(days)) == (last - first).days + 1


@given(DAYS)
def test_a_week_begins_on_the_monday_before(day: date) -> None:
    monday = week_start(day)
    assert monday.weekday() == 0
    assert timedelta(0) <= day - monday < timedelta(days=7)


@given(st.text(max_size=60), st.integers(9_000_000_000, 9_009_999_999))
def test_a_number_is_comparable_in_any_dress(noise: str, number: int) -> None:
    bare = "".join(letter for letter in noise if not letter.isdecimal())
    assert comparable(f"+7{bare}{number}") == comparable(f"8 {number}{bare}") == str(number)
    shown = masked(f"+7{number}")
    assert digits(shown) == str(number)[-2:]


@given(st.text(st.characters(), max_size=80))
def test_clean_text_is_storable_and_clean_already(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "\x00" not in once.encode().decode()


@given(st.text(max_size=80), st.integers(1, 90))
def test_shortened_text_is_a_beginning(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))
