"""What a stranger meets: one fixed prompt, and the way in by an invitation's code."""

import re
from time import monotonic

from aiogram import Bot
from aiogram.types import Message, Update, User

from medai.bot import screens
from medai.bot.texts import common as texts
from medai.errors import InvalidInputError
from medai.kit.pace import Pace
from medai.members.invitations import Invitations
from medai.members.repository import Members
from medai.members.rules import code_in
from medai.processing.seats import Seats

_START = re.compile(r"/start(?:@\w+)?\s+(\S{1,64})\s*")
_CODE = re.compile(r"[0-9a-fA-F]{32}")
_ANSWERS_PER_MINUTE = 20
_LONGEST = 300
"""A link with a code is shorter; longer texts are not looked at."""


class Doorstep:
    """Raises StoreError."""

    def __init__(self, members: Members, seats: Seats, invitations: Invitations) -> None:
        self._members = members
        self._seats = seats
        self._invitations = invitations
        self._pace = Pace(_ANSWERS_PER_MINUTE)

    async def meet(self, event: Update, bot: Bot, user: User) -> None:
        """Answer an update of somebody who belongs to no clinic."""
        if self._pace.wait(str(user.id), monotonic()):
            return  # a flood of strangers must not keep members waiting
        if event.callback_query is not None:
            await screens.answer(event.callback_query)
        code = code_of(event.message)
        if not code:
            await bot.send_message(user.id, texts.invitation_prompt())
            return
        try:
            membership = await self._invitations.accept(code, user.id, user.full_name)
        except InvalidInputError as error:
            await bot.send_message(user.id, texts.refusal(error.message))
            return
        seat = await self._seats.of_person(self._members, user.id, membership.client_id)
        text = texts.welcome(membership, seat.clinic.name)
        await screens.send(bot, user.id, text, screens.main_keyboard())


def code_of(message: Message | None) -> str:
    """The invitation's code in a message: of a link, or typed alone; "" when there is none."""
    text = (message.text or "") if message else ""
    if len(text) > _LONGEST:
        return ""
    opened = _START.fullmatch(text)
    code = code_in(opened[1] if opened else text)
    return code if opened or _CODE.fullmatch(code) else ""
