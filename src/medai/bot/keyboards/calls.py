"""Buttons of the calls' flow."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from aiogram.types import InlineKeyboardMarkup

from medai.bot.callbacks import Act, CallAt, DayAgain, DayAt, Go, LeadAt, Place, day_text
from medai.bot.keyboards.common import Row, board, button, home, link, paging
from medai.bot.texts import calls as texts
from medai.calls.models import Call

PAGE = 8
"""Rows of a list."""


def last_page(count: int) -> int:
    """The number of the last page, from 0."""
    return max(0, (count - 1) // PAGE)


def days(today: date) -> InlineKeyboardMarkup:
    """The three newest days, or another one."""
    labels = (texts.TODAY, texts.YESTERDAY, texts.DAY_BEFORE)
    rows = [
        [button(label, DayAt(day=day_text(today - timedelta(days=back))))]
        for back, label in enumerate(labels)
    ]
    return board(*rows, [button(texts.OTHER_DATE, Go(to=Place.DATE))], home())


def leads(
    day: date, groups: Sequence[Sequence[Call]], page: int, *, has_crm: bool
) -> InlineKeyboardMarkup:
    """A day's leads."""
    at = day_text(day)
    shown = groups[page * PAGE : (page + 1) * PAGE]
    rows = [[button(texts.lead_label(group), LeadAt(call=group[-1].id))] for group in shown]
    arrows = paging(
        DayAt(day=at, page=page - 1) if page else None,
        DayAt(day=at, page=page + 1) if page < last_page(len(groups)) else None,
    )
    again = [button(texts.REFRESH, DayAgain(day=at))] if has_crm else []
    return board(*rows, arrows, again, [button(texts.OTHER_DAY, Go(to=Place.DAYS))])


def calls(group: Sequence[Call], page: int, tz: ZoneInfo) -> InlineKeyboardMarkup:
    """A lead's calls."""
    shown = group[page * PAGE : (page + 1) * PAGE]
    rows = [[button(texts.call_label(call, tz), CallAt(call=call.id))] for call in shown]
    first = group[0]
    arrows = paging(
        LeadAt(call=first.id, page=page - 1) if page else None,
        LeadAt(call=first.id, page=page + 1) if page < last_page(len(group)) else None,
    )
    back = DayAt(day=day_text(first.business_day))
    return board(*rows, arrows, [button(texts.TO_LEADS, back)])


def card(call: Call, transcript_url: str, recording_url: str) -> InlineKeyboardMarkup:
    """What can be done with a call now."""

    def act(label: str, what: Act) -> Row:
        return [button(label, CallAt(call=call.id, act=what))]

    has_sound = bool(call.recording_url or call.audio)
    done = call.transcript is not None
    return board(
        act(texts.TRANSCRIBE, Act.TRANSCRIBE) if has_sound and not done else [],
        act(texts.TRANSCRIPT, Act.TEXT) if done else [],
        link(texts.OPEN_TEXT, transcript_url),
        act(texts.ANALYSE, Act.ANALYSE) if done else [],
        act(texts.RECORDING, Act.RECORDING) if call.audio else [],
        link(texts.OPEN_SOUND, recording_url),
        [button(texts.TO_CALLS, LeadAt(call=call.id))],
    )


def back_to_call(call: Call) -> InlineKeyboardMarkup:
    """To the card."""
    return board([button(texts.TO_CALL, CallAt(call=call.id))])
