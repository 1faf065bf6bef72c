"""Days, phones, texts, ids, chunks, moments."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from medai.errors import InvalidInputError
from medai.kit.chunks import chunks
from medai.kit.clock import from_unix, to_milliseconds, utc_now
from medai.kit.days import (
    DayRange,
    Window,
    business_day,
    day_window,
    parse_day,
    parse_range,
    range_window,
    week_start,
    zone,
)
from medai.kit.ids import call_id, random_id, stable_id
from medai.kit.model import Frozen
from medai.kit.phones import comparable, digits, masked
from medai.kit.text import clean, shortened

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "text", ["19.11.2026", "19-11-2026", "2026-11-19", "2026.11.19", " 19.11.2026\n"]
)
def test_dates_in_every_form_of_old_clients(text: str) -> None:
    assert parse_day(text) == date(2026, 11, 19)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "31.02.2026",
        "19.11.26",
        "2026-13-01",
        "19/11/2026",
        "вчера",
        "2026-11-19T00:00",
        "01.01.0001",
        "9999-12-31",
    ],
)
def test_other_texts_are_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"ДД\.ММ\.ГГГГ|от 2000 до 2100") as caught:
        parse_day(text)
    assert "\n" not in caught.value.message


def test_a_hostile_date_is_shown_shortened() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_day("9" * 5000)
    assert len(caught.value.message) < 120


def test_a_range_holds_both_ends() -> None:
    days = parse_range("30.12.2026", "2027-01-01")
    assert list(days) == [date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1)]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [("20.11.2026", "19.11.2026", "поменяйте"), ("01.01.2025", "06.01.2026", "разбейте")],
)
def test_a_reversed_or_endless_range_is_refused(first: str, last: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_range(first, last)


def test_the_longest_range_is_accepted() -> None:
    assert len(list(parse_range("01.01.2025", "05.01.2026"))) == 370


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)],
)
def test_days_are_23_to_25_hours_long_where_clocks_change(day: date, hours: int) -> None:
    window = day_window(day, BERLIN)
    assert window.end - window.start == timedelta(hours=hours)
    assert business_day(window.start, BERLIN) == day
    assert business_day(window.end, BERLIN) == day + timedelta(days=1)


def test_a_window_is_half_open() -> None:
    window = range_window(
        DayRange(date(2026, 11, 19), date(2026, 11, 20)), ZoneInfo("Europe/Moscow")
    )
    assert window == Window(
        datetime(2026, 11, 18, 21, tzinfo=UTC), datetime(2026, 11, 20, 21, tzinfo=UTC)
    )
    assert window.start in window
    assert window.end not in window


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../../etc/passwd", "a\x00b"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="Europe/Moscow"):
        zone(name)


def test_weeks_begin_on_monday() -> None:
    assert week_start(date(2026, 11, 22)) == week_start(date(2026, 11, 16)) == date(2026, 11, 16)


@pytest.mark.parametrize(
    "form", ["+7 (900) 000-00-01", "8 900 000 00 01", "79000000001", "9000000001"]
)
def test_forms_of_one_number_are_equal(form: str) -> None:
    assert comparable(form) == "9000000001"
    assert masked(form).endswith("•01")
    assert "900" not in masked(form)


def test_a_number_without_digits() -> None:
    assert (digits("Неизвестно"), comparable(""), masked("скрыт")) == ("", "", "")


def test_text_that_stores_refuse_or_screens_obey_is_cleaned() -> None:
    assert clean("a\x00b\x1b[31m\ud800") == "a\ufffdb\ufffd[31m\ufffd"
    assert clean("\u202eзапись\u2069 \u200fok") == "запись ok"
    assert clean("за\ufffeпись\uffff") == "за\ufffdпись\ufffd"
    assert clean("строка\n\tстрока") == "строка\n\tстрока"
    clean("\ud83d x \udfff").encode()


@pytest.mark.parametrize(("limit", "text"), [(5, "слово"), (4, "сло…"), (1, "…")])
def test_shortened_text_fits(limit: int, text: str) -> None:
    assert shortened("слово", limit) == text
    assert shortened("a b", 3) == "a b"


def test_ids_depend_on_all_parts_and_their_borders() -> None:
    known = {
        call_id("clinic", 12), call_id("clinic", 13), call_id("clinic1", 2), stable_id("call"),
        stable_id("a", "bc"), stable_id("ab", "c"), stable_id("abc"),
    }  # fmt: skip
    assert len(known) == 7
    assert call_id("clinic", 12) == call_id("clinic", "12")
    assert all(len(each) == 24 and int(each, 16) >= 0 for each in known)


def test_the_call_id_never_changes_between_versions() -> None:
    assert call_id("clinic-1", 101) == "b809c4bae03a6da399a424b2"


def test_random_ids_differ() -> None:
    assert len({random_id() for _ in range(100)}) == 100
    assert len(random_id()) == 24


def test_chunks_keep_everything_in_order() -> None:
    assert [list(part) for part in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(chunks([], 2)) == []


def test_moments_are_utc_milliseconds() -> None:
    moment = datetime(2026, 11, 19, 12, 0, 0, 123999, tzinfo=timezone(timedelta(hours=3)))
    assert to_milliseconds(moment) == datetime(2026, 11, 19, 9, 0, 0, 123000, tzinfo=UTC)
    assert utc_now().microsecond % 1000 == 0
    assert from_unix(0) == datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="naive"):
        to_milliseconds(moment.replace(tzinfo=None))


class Patient(Frozen):
    phone: int


def test_refused_values_stay_out_of_error_texts() -> None:
    with pytest.raises(ValidationError) as caught:
        Patient(phone="+7 900 000-00-01 Мария")
    assert "900" not in str(caught.value)
    assert "Мария" not in str(caught.value)
