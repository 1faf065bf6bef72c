"""Rules of the bot without a network: pace, calendar, callback data, pages, words."""

from datetime import date
from itertools import pairwise

import pytest
from aiogram.types import InlineKeyboardMarkup
from hypothesis import example, given
from hypothesis import strategies as st

from medai.bot import callbacks, screens
from medai.bot.doorstep import code_of
from medai.bot.keyboards import reports as keyboards
from medai.bot.keyboards.common import link
from medai.bot.pace import Bucket
from medai.bot.texts import common
from medai.errors import InvalidInputError

LAST = date(2026, 11, 19)


@given(st.lists(st.floats(0, 3), min_size=5, max_size=60))
def test_a_bucket_is_never_faster_than_it_says(pauses: list[float]) -> None:
    bucket, now = Bucket.full(1.0, 3.0, 0.0), 0.0
    used: list[float] = []
    for pause in pauses:
        now += pause
        used.append(now + bucket.wait(now))
    assert all(earlier <= later + 1e-6 for earlier, later in pairwise(used))
    for start in range(len(used) - 3):  # the fourth of any four is a second behind the first
        assert used[start + 3] - used[start] >= 1 - 1e-6


def _data(markup: InlineKeyboardMarkup) -> list[str]:
    return [str(one.callback_data) for row in markup.inline_keyboard for one in row]


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_days_and_months_survive_a_button(day: date) -> None:
    assert callbacks.day_of(callbacks.day_text(day)) == day
    assert callbacks.month_of(day.strftime("%Y%m")) == day.replace(day=1)


@given(st.text(max_size=12))
def test_other_days_and_months_are_refused(text: str) -> None:
    for read in (callbacks.day_of, callbacks.month_of):
        try:
            read(text)
        except InvalidInputError:
            continue
        assert text.isdigit()


@given(st.dates())
@example(date.min)
@example(date.max)
def test_a_month_of_any_button_has_a_calendar_or_is_refused(day: date) -> None:
    try:
        month = callbacks.month_of(f"{day.year:04d}{day.month:02d}")
    except InvalidInputError:
        assert not 2000 <= day.year <= 2100
        return
    assert len(_data(keyboards.calendar(month, last=LAST))) > 28


@given(st.dates(date(2005, 1, 1), LAST))
def test_the_calendar_offers_each_past_day_once(day: date) -> None:
    month = day.replace(day=1)
    data = _data(keyboards.calendar(month, last=LAST))
    days = [one.removeprefix("dp:") for one in data if one.startswith("dp:") and one != "dp:"]
    assert days == sorted(set(days))
    assert callbacks.day_text(day) in days
    assert all(one <= "20261119" for one in days)
    assert all(len(one.encode()) <= 64 for one in data)
    assert (f"m:{LAST:%Y%m}" in data) is ((month.year, month.month) == (2026, 10))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://clinic.example/api/x", True),
        ("http://localhost:8001/api/x", False),
        ("http://testserver/api/x", False),
        ("", False),
    ],
)
def test_links_that_telegram_would_refuse_are_no_buttons(url: str, shown: bool) -> None:
    assert bool(link("Открыть", url)) is shown


@given(st.lists(st.text("яz🦷", min_size=1, max_size=1500), max_size=30))
def test_pages_hold_every_line_and_fit(lines: list[str]) -> None:
    pages = screens.pages(lines)
    assert "\n".join(pages) == "\n".join(lines)
    for page in pages:  # Telegram counts a picture letter twice
        assert len(page.encode("utf-16-le")) // 2 <= screens.LONGEST_TEXT


@given(st.text(max_size=200))
def test_foreign_words_are_never_markup(text: str) -> None:
    shown = common.plain(text)
    assert "<" not in shown
    assert ">" not in shown
    assert len(common.label(text)) <= 48
    assert common.label(text).strip()


def test_nothing_is_a_code_but_a_code() -> None:
    assert code_of(None) == ""
