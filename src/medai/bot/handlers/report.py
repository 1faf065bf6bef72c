"""The report flow: period, administrators, confirmation (contract 9)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from medai.bot import screens
from medai.bot.callbacks import (
    Agree,
    DatePick,
    Go,
    MonthAt,
    Period,
    Place,
    ReportFor,
    Who,
    day_of,
    month_of,
)
from medai.bot.errands.ledger import ErrandKind
from medai.bot.errands.runner import Errands
from medai.bot.keyboards import reports as keyboards
from medai.bot.screens import Screen
from medai.bot.states import Report
from medai.bot.texts import common
from medai.bot.texts import reports as texts
from medai.errors import InvalidInputError
from medai.kit.days import DayRange, parse_day, parse_range
from medai.processing.seats import Seat
from medai.reports import format_ru as ru

_DAYS = {Period.WEEK: 7, Period.MONTH: 30, Period.QUARTER: 90}
"""Contract 9; the last of them is today."""
Event = Message | CallbackQuery


def router() -> Router:
    """Handlers of the report flow."""
    made = Router(name="report")
    made.message(Command("report"))(choose_period)
    made.message(F.text == common.REPORT)(choose_period)
    made.callback_query(Go.filter(F.to == Place.REPORT))(choose_period)
    made.callback_query(ReportFor.filter())(period_chosen)
    made.callback_query(Report.first, MonthAt.filter())(other_month)
    made.callback_query(Report.last, MonthAt.filter())(other_month)
    made.callback_query(DatePick.filter(F.day == ""))(blank)
    made.callback_query(Report.first, DatePick.filter())(first_picked)
    made.callback_query(Report.last, DatePick.filter())(last_picked)
    made.callback_query(Report.people, Who.filter())(person_picked)
    made.callback_query(Report.sure, Agree.filter())(agreed)
    made.callback_query(Agree.filter())(agreed_again)
    return made


def answers() -> Router:
    """Typed answers; after all commands."""
    made = Router(name="report answers")
    made.message(Report.first, F.text)(first_typed)
    made.message(Report.last, F.text)(last_typed)
    return made


async def choose_period(event: Event, state: FSMContext) -> None:
    """Which period?"""
    await state.clear()
    await state.set_state(Report.period)
    await screens.show(event, Screen(texts.choose_period(), keyboards.periods()))


async def period_chosen(
    query: CallbackQuery, callback_data: ReportFor, seat: Seat, state: FSMContext
) -> None:
    """A period that ends today, or dates of one's own."""
    today = seat.today()
    if callback_data.period is Period.OWN:
        await state.set_state(Report.first)
        month = keyboards.calendar(today.replace(day=1), last=today)
        await screens.show(query, Screen(texts.ask_first(), month))
        return
    first = today - timedelta(days=_DAYS[callback_data.period] - 1)
    await _dated(query, seat, state, DayRange(first, today))


async def blank(query: CallbackQuery) -> None:
    """A cell of the calendar without a day."""
    await screens.answer(query)


async def other_month(
    query: CallbackQuery, callback_data: MonthAt, seat: Seat, state: FSMContext
) -> None:
    """Another month of the calendar."""
    month = month_of(callback_data.month)
    await screens.show(query, await _asking(state, seat, month))


async def first_picked(
    query: CallbackQuery, callback_data: DatePick, seat: Seat, state: FSMContext
) -> None:
    """The first day, from the calendar."""
    await _first(query, seat, state, day_of(callback_data.day))


async def last_picked(
    query: CallbackQuery, callback_data: DatePick, seat: Seat, state: FSMContext
) -> None:
    """The last day, from the calendar."""
    await _last(query, seat, state, day_of(callback_data.day))


async def first_typed(message: Message, seat: Seat, state: FSMContext) -> None:
    """The first day in words, or both: DD.MM.YYYY-DD.MM.YYYY."""
    first, dash, last = (message.text or "").replace("–", "-").replace("—", "-").partition("-")
    if dash and "." in first and "." in last:
        await _dated(message, seat, state, parse_range(first, last))
        return
    await _first(message, seat, state, parse_day(message.text or ""))


async def last_typed(message: Message, seat: Seat, state: FSMContext) -> None:
    """The last day in words."""
    await _last(message, seat, state, parse_day(message.text or ""))


async def person_picked(
    query: CallbackQuery, callback_data: Who, seat: Seat, state: FSMContext
) -> None:
    """An administrator chosen or not, all of them, or done choosing."""
    data = await state.get_data()
    names: list[str] = data["names"]
    chosen = set(map(int, data["chosen"]))
    if callback_data.place == keyboards.ALL:
        await _confirm(query, seat, state, [])
    elif callback_data.place == keyboards.NEXT:
        if not chosen:
            await screens.answer(query, texts.nobody_chosen())
            return
        await _confirm(query, seat, state, [names[place] for place in sorted(chosen)])
    elif 0 <= callback_data.place < len(names):
        chosen ^= {callback_data.place}
        await state.update_data(chosen=sorted(chosen))
        await screens.show(query, _people(_days(data), names, chosen, data["more"]))
    else:
        await screens.answer(query, common.STALE_BUTTON)


async def agreed(
    query: CallbackQuery, callback_data: Agree, seat: Seat, state: FSMContext, errands: Errands
) -> None:
    """Make it, or not."""
    data = await state.get_data()
    if not callback_data.yes:
        await state.clear()
        await screens.show(query, Screen(texts.declined(), keyboards.periods()))
        return
    args = (data["first"], data["last"], *data["only"])
    if not await errands.start(seat, ErrandKind.REPORT, args, texts.making(texts.COUNTING, 0)):
        await screens.answer(query, common.BUSY)
        return
    await state.clear()
    await screens.show(query, Screen(_question(data, data["only"], seat)))


async def agreed_again(query: CallbackQuery, seat: Seat, errands: Errands) -> None:
    """The second of two taps; a button of an older report is stale."""
    if not errands.is_busy(ErrandKind.REPORT, seat.member.telegram_id):
        raise SkipHandler
    await screens.answer(query, common.BUSY)


async def _first(event: Event, seat: Seat, state: FSMContext, day: date) -> None:
    _check(day, seat)
    await state.update_data(first=day.isoformat())
    await state.set_state(Report.last)
    await screens.show(event, await _asking(state, seat, seat.today().replace(day=1)))


async def _last(event: Event, seat: Seat, state: FSMContext, day: date) -> None:
    _check(day, seat)
    first = str((await state.get_data())["first"])
    await _dated(event, seat, state, parse_range(first, day.isoformat()))


async def _asking(state: FSMContext, seat: Seat, month: date) -> Screen:
    """The question of the first or of the last day, with a month."""
    buttons = keyboards.calendar(month, last=seat.today())
    first = (await state.get_data()).get("first")
    if await state.get_state() == Report.last.state and first:
        return Screen(texts.ask_last(ru.day(date.fromisoformat(first))), buttons)
    return Screen(texts.ask_first(), buttons)


async def _dated(event: Event, seat: Seat, state: FSMContext, days: DayRange) -> None:
    """The period is known: whose calls?"""
    _check(days.last, seat)
    found = await seat.administrators(days)
    names = found[: keyboards.MOST_PEOPLE]
    more = len(found) - len(names)
    period = {"first": days.first.isoformat(), "last": days.last.isoformat()}
    await state.set_data({**period, "names": names, "chosen": [], "more": more})
    if seat.own_administrator is not None or not names:
        await _confirm(event, seat, state, [])
        return
    await state.set_state(Report.people)
    await screens.show(event, _people(days, names, set(), more))


async def _confirm(event: Event, seat: Seat, state: FSMContext, names: list[str]) -> None:
    data = await state.update_data(only=names)
    await state.set_state(Report.sure)
    await screens.show(event, Screen(_question(data, names, seat), keyboards.sure()))


def _question(data: Mapping[str, Any], names: list[str], seat: Seat) -> str:
    return texts.confirm(_days(data), names, own=seat.own_administrator is not None)


def _people(days: DayRange, names: list[str], chosen: set[int], more: int) -> Screen:
    text = texts.choose_people(days, len(chosen), more)
    return Screen(text, keyboards.people(names, chosen))


def _days(data: Mapping[str, Any]) -> DayRange:
    return DayRange(date.fromisoformat(data["first"]), date.fromisoformat(data["last"]))


def _check(day: date, seat: Seat) -> None:
    if day > seat.today():
        raise InvalidInputError("Отчёт не может кончаться в будущем: выберите прошедший день")
