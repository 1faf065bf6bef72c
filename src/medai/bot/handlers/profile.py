"""/profile: who the person is, which clinic they look at, what they want to be told."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from medai.bot import screens
from medai.bot.callbacks import Go, LookAt, Place, Quiet, Switch
from medai.bot.keyboards import people as keyboards
from medai.bot.screens import Screen
from medai.bot.texts import common
from medai.bot.texts import people as texts
from medai.clinics.models import Clinic
from medai.members.models import Notice, QuietHours
from medai.members.repository import Members
from medai.processing.seats import Seat, Seats

_HOURS = range(24)


def router() -> Router:
    """Handlers of the profile."""
    made = Router(name="profile")
    made.message(Command("profile"))(profile)
    made.callback_query(Go.filter(F.to == Place.PROFILE))(profile)
    made.callback_query(Switch.filter())(switch)
    made.callback_query(Quiet.filter())(quiet)
    made.callback_query(LookAt.filter())(look_at)
    return made


async def profile(
    event: Message | CallbackQuery, seat: Seat, seats: Seats, state: FSMContext
) -> None:
    """The profile."""
    await state.clear()
    await screens.show(event, await _screen(seat, seats))


async def switch(
    query: CallbackQuery, callback_data: Switch, seat: Seat, seats: Seats, members: Members
) -> None:
    """A notice on or off."""
    if callback_data.notice not in set(Notice):
        await screens.answer(query, common.STALE_BUTTON)
        return
    notice, person = Notice(callback_data.notice), seat.member.telegram_id
    member = await members.switch(person, notice, callback_data.on)
    await screens.show(query, await _screen(await seats.of(member), seats))


async def quiet(
    query: CallbackQuery, callback_data: Quiet, seat: Seat, seats: Seats, members: Members
) -> None:
    """Other quiet hours."""
    if callback_data.first not in _HOURS or callback_data.last not in _HOURS:
        await screens.answer(query, common.STALE_BUTTON)
        return
    hours = QuietHours(first_hour=callback_data.first, last_hour=callback_data.last)
    member = await members.set_quiet(seat.member.telegram_id, hours)
    await screens.show(query, await _screen(await seats.of(member), seats))


async def look_at(
    query: CallbackQuery,
    callback_data: LookAt,
    seat: Seat,
    seats: Seats,
    members: Members,
    state: FSMContext,
) -> None:
    """Another clinic of the person. What was begun in the former one ends here."""
    named = (
        one.client_id
        for one in seat.member.memberships
        if keyboards.clinic_key(one.client_id) == callback_data.clinic
    )
    client_id = next(named, None)
    if client_id is None:
        await screens.answer(query, common.STALE_BUTTON)
        return
    await state.clear()
    member = await members.look_at(seat.member.telegram_id, client_id)
    await screens.show(query, await _screen(await seats.of(member), seats))


async def _screen(seat: Seat, seats: Seats) -> Screen:
    clinics: list[Clinic] = await seats.clinics_of(seat.member)
    text = texts.profile(seat.member, seat.membership, seat.clinic)
    return Screen(text, keyboards.profile(seat.member, seat.membership, clinics))
