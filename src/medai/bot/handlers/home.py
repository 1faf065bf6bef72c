"""Commands that every person knows: the first screen, help, and the way out of anything."""

from aiogram import F, Router
from aiogram.filters import Command, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from medai.bot import screens
from medai.bot.callbacks import Go, Place
from medai.bot.doorstep import code_of
from medai.bot.errands.runner import Errands
from medai.bot.texts import common as texts
from medai.members.invitations import Invitations
from medai.members.repository import Members
from medai.processing.seats import Seat, Seats


def router() -> Router:
    """Comes first: these words mean the same in every dialogue."""
    made = Router(name="home")
    made.message(CommandStart())(start)
    made.message(code_of)(start)
    made.message(F.text == texts.HOME)(home)
    made.callback_query(Go.filter(F.to == Place.HOME))(home)
    made.message(Command("help"))(tell)
    made.message(Command("register"))(register)
    made.message(Command("cancel"))(cancel)
    made.message(F.text.strip().casefold() == texts.CANCEL_WORD)(cancel)
    made.callback_query(Go.filter(F.to == Place.STOP))(stop)
    return made


async def start(
    message: Message,
    seat: Seat,
    state: FSMContext,
    invitations: Invitations,
    members: Members,
    seats: Seats,
) -> None:
    """The first screen; with the code of another clinic's invitation that clinic is added."""
    code = code_of(message)
    if not code or message.from_user is None:
        await home(message, seat, state)
        return
    await state.clear()
    user = message.from_user
    membership = await invitations.accept(code, user.id, user.full_name)
    here = await seats.of_person(members, user.id, membership.client_id)
    text = texts.welcome(membership, here.clinic.name)
    await message.answer(text, reply_markup=screens.main_keyboard())


async def home(event: Message | CallbackQuery, seat: Seat, state: FSMContext) -> None:
    """The first screen, with the keyboard below it."""
    await state.clear()
    text = texts.home(seat.member.name, seat.clinic.name, seat.membership.role)
    message = event
    if isinstance(event, CallbackQuery):
        await screens.answer(event)
        if event.bot is not None:
            await screens.send(event.bot, event.from_user.id, text, screens.main_keyboard())
        return
    if isinstance(message, Message):
        await message.answer(text, reply_markup=screens.main_keyboard())


async def tell(message: Message, seat: Seat) -> None:
    """What the bot can do."""
    await message.answer(
        texts.help_text(seat.membership.role), reply_markup=screens.main_keyboard()
    )


async def register(message: Message) -> None:
    """Registration is the web's (contract 9)."""
    await message.answer(texts.registration_done(), reply_markup=screens.main_keyboard())


async def cancel(message: Message, seat: Seat, state: FSMContext, errands: Errands) -> None:
    """End whatever was begun."""
    await state.clear()
    await errands.stop(seat.member.telegram_id)
    await message.answer(texts.cancelled(), reply_markup=screens.main_keyboard())


async def stop(query: CallbackQuery, seat: Seat, errands: Errands) -> None:
    """Stop what is under way; its own message tells so."""
    stopped = await errands.stop(seat.member.telegram_id)
    await screens.answer(query, None if stopped else texts.nothing_to_stop())
