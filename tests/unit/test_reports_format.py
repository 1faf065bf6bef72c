from datetime import date, datetime

import pytest

from medai.kit.days import DayRange
from medai.reports import format_ru as ru


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1\u00a0000"), (1234567, "1\u00a0234\u00a0567"), (-5, "−5")],
)
def test_integers_are_grouped_by_no_break_spaces(value: int, text: str) -> None:
    assert ru.integer(value) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (41.25, 1, "41,3"),
        (0.285, 2, "0,29"),
        (2.5, 0, "3"),
        (-0.04, 1, "0,0"),
        (-1.25, 1, "−1,3"),
        (1234.5, 1, "1\u00a0234,5"),
        (None, 1, "—"),
    ],
)
def test_decimals_round_as_people_do(value: float | None, places: int, text: str) -> None:
    assert ru.decimal(value, places) == text


def test_percentages_have_a_comma_and_a_no_break_space() -> None:
    assert ru.percent(0.4231) == "42,3\u00a0%"
    assert ru.percent(0.285) == "28,5\u00a0%"
    assert ru.percent(None) == "—"
    assert ru.percent_points(74.06) == "74,1\u00a0%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.4, "0:59"), (59.5, "1:00"), (194.6, "3:15"), (3600, "60:00"),
     (360_000, "6\u00a0000:00"), (None, "—")],
)  # fmt: skip
def test_durations_are_minutes_and_seconds(seconds: float | None, text: str) -> None:
    assert ru.minutes_seconds(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "+2,0"), (-1.25, "−1,3"), (0.0, "0,0"), (0.04, "0,0"), (-0.04, "0,0")]
)
def test_changes_show_their_sign_unless_they_round_to_zero(value: float, text: str) -> None:
    assert ru.signed(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 звонков"), (1, "1 звонок"), (2, "2 звонка"), (5, "5 звонков"), (11, "11 звонков"),
     (21, "21 звонок"), (112, "112 звонков"), (104, "104 звонка")],
)  # fmt: skip
def test_nouns_agree_with_their_count(count: int, text: str) -> None:
    assert ru.calls(count).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 9, 1), date(2026, 9, 30), "сентябрь 2026"),
        (date(2026, 2, 1), date(2026, 2, 28), "февраль 2026"),
        (date(2026, 9, 5), date(2026, 9, 5), "5 сентября 2026"),
        (date(2026, 9, 1), date(2026, 9, 29), "1–29 сентября 2026"),
        (date(2026, 8, 30), date(2026, 9, 5), "30 августа – 5 сентября 2026"),
        (date(2026, 12, 28), date(2027, 1, 3), "28 декабря 2026 – 3 января 2027"),
        (date(2026, 12, 1), date(2026, 12, 31), "декабрь 2026"),
    ],
)
def test_periods_read_naturally(first: date, last: date, text: str) -> None:
    assert ru.period(DayRange(first, last)).replace("\u00a0", " ") == text


def test_dates_and_moments_are_day_first() -> None:
    assert ru.day(date(2026, 9, 5)) == "05.09.2026"
    assert ru.moment(datetime(2026, 9, 5, 7, 3)) == "05.09.2026 07:03"  # noqa: DTZ001 - as shown
    assert ru.dates(DayRange(date(2026, 9, 5), date(2026, 9, 5))) == "05.09.2026"
    assert ru.dates(DayRange(date(2026, 9, 5), date(2026, 9, 6))) == "05.09.2026 – 06.09.2026"


def test_endless_words_get_break_points_and_nothing_else_changes() -> None:
    broken = ru.breakable("я" * 300)
    assert max(map(len, broken.split("\u200b"))) == 8
    assert broken.replace("\u200b", "") == "я" * 300
    for text in ("Обычный текст из слов", "Константинопольская-Задунайская", "я" * 24):
        assert ru.breakable(text) == text
    assert "\u200b" in ru.breakable("я" * 19, longest=18)


def test_names_sort_by_the_russian_alphabet() -> None:
    names = ["Яна", "Ёлкина", "Жанна", "анна", "Елена"]
    assert sorted(names, key=ru.alphabetical) == ["анна", "Елена", "Ёлкина", "Жанна", "Яна"]
