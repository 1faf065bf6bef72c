"""The calls' flow: a day, its leads, a lead's calls (contract 9)."""

from datetime import date

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from medai.bot import screens
from medai.bot.callbacks import DayAgain, DayAt, Go, LeadAt, Place, day_of
from medai.bot.errands.ledger import ErrandKind
from medai.bot.errands.runner import Errands
from medai.bot.handlers import views
from medai.bot.keyboards import calls as keyboards
from medai.bot.screens import Screen
from medai.bot.states import Leads
from medai.bot.texts import calls as texts
from medai.bot.texts import common
from medai.errors import InvalidInputError
from medai.kit.days import parse_day
from medai.processing.seats import Seat


def router() -> Router:
    """Handlers of days and leads."""
    made = Router(name="leads")
    made.message(Command("leads"))(choose)
    made.message(F.text == common.LEADS)(choose)
    made.callback_query(Go.filter(F.to == Place.DAYS))(choose)
    made.callback_query(Go.filter(F.to == Place.DATE))(ask_date)
    made.callback_query(DayAt.filter())(open_day)
    made.callback_query(DayAgain.filter())(read_again)
    made.callback_query(LeadAt.filter())(open_lead)
    return made


def answers() -> Router:
    """Typed answers; after all commands."""
    made = Router(name="leads answers")
    made.message(Leads.day, F.text)(typed_day)
    return made


async def choose(event: Message | CallbackQuery, seat: Seat, state: FSMContext) -> None:
    """Which day?"""
    await state.clear()
    await state.set_state(Leads.day)
    await screens.show(event, Screen(texts.choose_day(), keyboards.days(seat.today())))


async def ask_date(query: CallbackQuery, seat: Seat, state: FSMContext) -> None:
    """Let the person type a date."""
    await state.set_state(Leads.day)
    await screens.show(query, Screen(texts.ask_date(), keyboards.days(seat.today())))


async def typed_day(message: Message, seat: Seat, state: FSMContext, errands: Errands) -> None:
    """The date in words; a wrong one is told, and the question stays."""
    day = parse_day(message.text or "")
    await _open(message, seat, errands, day)
    await state.clear()


async def open_day(
    query: CallbackQuery, callback_data: DayAt, seat: Seat, state: FSMContext, errands: Errands
) -> None:
    """A day by its button, or another page of it."""
    await state.clear()
    day = day_of(callback_data.day)
    if callback_data.page:
        await screens.show(query, await views.leads(seat, day, callback_data.page))
    else:
        await _open(query, seat, errands, day)


async def read_again(
    query: CallbackQuery, callback_data: DayAgain, seat: Seat, errands: Errands
) -> None:
    """The day from the CRM once more."""
    day = day_of(callback_data.day)
    _check(day, seat)
    await _read(query, seat, errands, day)


async def open_lead(query: CallbackQuery, callback_data: LeadAt, seat: Seat) -> None:
    """A lead's calls."""
    await screens.show(query, await views.lead(seat, callback_data.call, callback_data.page))


async def _open(event: Message | CallbackQuery, seat: Seat, errands: Errands, day: date) -> None:
    """As the API's bulk day: a stored day at once, brought up to date behind; else it is read."""
    _check(day, seat)
    if not seat.clinic.subdomain or await seat.is_stored(day):
        await seat.refresh(day)
        await screens.show(event, await views.leads(seat, day, 0))
        return
    await _read(event, seat, errands, day)


async def _read(event: Message | CallbackQuery, seat: Seat, errands: Errands, day: date) -> None:
    words = texts.reading(day, 0, 0)
    begun = await errands.start(seat, ErrandKind.DAY, (day.isoformat(),), words)
    if isinstance(event, CallbackQuery):
        await screens.answer(event, None if begun else common.BUSY)
    elif not begun:
        await event.answer(common.BUSY)


def _check(day: date, seat: Seat) -> None:
    if day > seat.today():
        raise InvalidInputError(texts.future_day())
