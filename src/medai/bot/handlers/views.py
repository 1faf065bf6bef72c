"""Screens of the calls' flow as a seat sees them."""

from datetime import date

from medai.bot import screens
from medai.bot.keyboards import calls as keyboards
from medai.bot.screens import Screen
from medai.bot.texts import calls as texts
from medai.calls.models import Call
from medai.errors import NotFoundError
from medai.processing.seats import Seat, lead_key, leads_of


async def leads(seat: Seat, day: date, page: int, *, notice: str = "") -> Screen:
    """The day's leads."""
    calls = await seat.calls_of(day)
    groups = leads_of(calls)
    last = keyboards.last_page(len(groups))
    page = min(max(page, 0), last)
    text = texts.leads(day, len(calls), len(groups), page, last, notice)
    has_crm = bool(seat.clinic.subdomain)
    return Screen(text, keyboards.leads(day, groups, page, has_crm=has_crm))


async def lead(seat: Seat, call_id: str, page: int) -> Screen:
    """The calls of the lead that the call belongs to, on the call's day."""
    group = await _group(seat, await seat.call(call_id))
    last = keyboards.last_page(len(group))
    page = min(max(page, 0), last)
    return Screen(texts.lead(group, page, last), keyboards.calls(group, page, seat.zone))


async def card(seat: Seat, call_id: str) -> Screen:
    """The call's card."""
    call = await seat.call(call_id)
    buttons = keyboards.card(call, seat.transcript_url(call), seat.recording_url(call))
    return Screen(texts.card(call, seat.zone), buttons)


async def analysis(seat: Seat, call_id: str) -> list[Screen]:
    """The call's analysis, in as many messages as it takes. Raises NotFoundError without one."""
    call, found = await seat.call(call_id), await seat.stored_analysis(call_id)
    if found is None:
        raise NotFoundError("Оценки этого звонка ещё нет")
    pages = screens.pages(texts.analysis(call, found, seat.zone))
    buttons = keyboards.back_to_call(call)
    return [Screen(page, buttons if page is pages[-1] else None) for page in pages]


async def _group(seat: Seat, call: Call) -> list[Call]:
    calls = await seat.calls_of(call.business_day)
    return [one for one in calls if lead_key(one) == lead_key(call)] or [call]
