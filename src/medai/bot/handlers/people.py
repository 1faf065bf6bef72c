"""The clinic's people: an owner lets others in and takes them out."""

from datetime import timedelta

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from medai.bot import screens
from medai.bot.callbacks import Go, InviteAs, InviteWho, Place, TakeOut
from medai.bot.keyboards import people as keyboards
from medai.bot.screens import Screen
from medai.bot.states import Invite
from medai.bot.texts import common
from medai.bot.texts import people as texts
from medai.errors import NotFoundError
from medai.kit.days import DayRange
from medai.members.invitations import Invitations
from medai.members.models import Role
from medai.members.repository import Members
from medai.processing.seats import Seat

_NAMES_OF_DAYS = 90
"""Administrators of so many days are offered."""
Event = Message | CallbackQuery


def router() -> Router:
    """Handlers of owners. Each of them asks the seat whether it is one."""
    made = Router(name="people")
    made.callback_query(Go.filter(F.to == Place.PEOPLE))(people)
    made.callback_query(Go.filter(F.to == Place.INVITE))(invite)
    made.callback_query(Invite.role, InviteAs.filter())(role_chosen)
    made.callback_query(Invite.administrator, InviteWho.filter())(administrator_chosen)
    made.callback_query(InviteAs.filter())(chosen_again)
    made.callback_query(InviteWho.filter())(chosen_again)
    made.callback_query(TakeOut.filter())(take_out)
    return made


def answers() -> Router:
    """Typed answers; after all commands."""
    made = Router(name="people answers")
    made.message(Invite.administrator, F.text)(administrator_typed)
    return made


async def people(
    query: CallbackQuery, seat: Seat, state: FSMContext, members: Members, invitations: Invitations
) -> None:
    """Everybody, and open invitations."""
    seat.require_owner()
    await state.clear()
    await screens.show(query, await _screen(seat, members, invitations))


async def invite(query: CallbackQuery, seat: Seat, state: FSMContext) -> None:
    """As whom?"""
    seat.require_owner()
    await state.set_state(Invite.role)
    await screens.show(query, Screen(texts.choose_role(seat.clinic), keyboards.roles()))


async def role_chosen(
    query: CallbackQuery,
    callback_data: InviteAs,
    seat: Seat,
    state: FSMContext,
    bot: Bot,
    invitations: Invitations,
) -> None:
    """The code; of an administrator only after the name."""
    seat.require_owner()
    if callback_data.role not in set(Role):
        await screens.answer(query, common.STALE_BUTTON)
        return
    role = Role(callback_data.role)
    if role is not Role.ADMINISTRATOR:
        await _give(query, seat, state, bot, invitations, role)
        return
    today = seat.today()
    names = await seat.administrators(DayRange(today - timedelta(days=_NAMES_OF_DAYS), today))
    shown = names[: keyboards.MOST]
    await state.set_data({"names": shown})
    await state.set_state(Invite.administrator)
    await screens.show(query, Screen(texts.choose_administrator(), keyboards.administrators(shown)))


async def chosen_again(query: CallbackQuery) -> None:
    """The second of two taps: the code is there."""
    await screens.answer(query, common.STALE_BUTTON)


async def administrator_chosen(
    query: CallbackQuery,
    callback_data: InviteWho,
    seat: Seat,
    state: FSMContext,
    bot: Bot,
    invitations: Invitations,
) -> None:
    """The code of the administrator whose button was tapped."""
    seat.require_owner()
    names: list[str] = (await state.get_data()).get("names", [])
    if not 0 <= callback_data.place < len(names):
        await screens.answer(query, common.STALE_BUTTON)
        return
    name = names[callback_data.place]
    await _give(query, seat, state, bot, invitations, Role.ADMINISTRATOR, name)


async def administrator_typed(
    message: Message, seat: Seat, state: FSMContext, bot: Bot, invitations: Invitations
) -> None:
    """The code of the administrator that was written."""
    seat.require_owner()
    name = " ".join((message.text or "").split())
    await _give(message, seat, state, bot, invitations, Role.ADMINISTRATOR, name)


async def take_out(
    query: CallbackQuery,
    callback_data: TakeOut,
    seat: Seat,
    state: FSMContext,
    members: Members,
    invitations: Invitations,
) -> None:
    """Withdraw an invitation, or close a person's access after a question."""
    seat.require_owner()
    what, client_id = callback_data.what, seat.membership.client_id
    if callback_data.clinic != keyboards.clinic_key(client_id):
        await screens.answer(query, common.STALE_BUTTON)
        return
    await state.clear()
    open_ones = [one async for one in invitations.open(client_id)]
    if any(one.id == what for one in open_ones):
        await invitations.revoke(what, by=seat.by)
        await screens.show(query, await _screen(seat, members, invitations))
        return
    found = [one async for one in members.of_clinic(client_id) if str(one.telegram_id) == what]
    if not found:
        raise NotFoundError("Этого человека в клинике уже нет")
    if not callback_data.sure:
        await screens.show(
            query, Screen(texts.sure(found[0], seat.clinic), keyboards.sure(callback_data))
        )
        return
    await members.revoke(client_id, found[0].telegram_id, by=seat.by)
    await screens.show(query, await _screen(seat, members, invitations))


async def _give(
    event: Event,
    seat: Seat,
    state: FSMContext,
    bot: Bot,
    invitations: Invitations,
    role: Role,
    administrator: str = "",
) -> None:
    invitation, code = await invitations.create(
        seat.membership.client_id, role, administrator=administrator, by=seat.by
    )
    await state.clear()
    username = (await bot.me()).username or ""
    text = texts.invitation(invitation, seat.clinic, code, username)
    await screens.show(event, Screen(text, keyboards.to_people()))


async def _screen(seat: Seat, members: Members, invitations: Invitations) -> Screen:
    client_id = seat.membership.client_id
    everybody = [member async for member in members.of_clinic(client_id)]
    unused = [one async for one in invitations.open(client_id)]
    text = screens.pages(texts.people(seat.clinic, everybody, unused, seat.zone).split("\n"))[0]
    return Screen(text, keyboards.people(client_id, everybody, unused))
