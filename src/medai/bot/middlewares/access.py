"""Who may come in: members of a clinic, in a chat of their own. Everybody else meets the doorstep.

Membership is read with every update, so that whoever was taken out is out at once.
"""

from dataclasses import replace
from typing import Any

import structlog
from aiogram import BaseMiddleware
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.fsm.context import FSMContext
from aiogram.types import Chat, ChatMemberUpdated, TelegramObject, Update, User

from medai.bot.doorstep import Doorstep
from medai.bot.middlewares.once import Handler
from medai.members.invitations import Invitations
from medai.members.repository import Members
from medai.processing.seats import Seats

_log = structlog.get_logger(__name__)


class Access(BaseMiddleware):
    """Puts `seat` into the handler's data: the only way to a clinic's data. Raises StoreError."""

    def __init__(self, members: Members, seats: Seats, invitations: Invitations) -> None:
        self._members = members
        self._seats = seats
        self._doorstep = Doorstep(members, seats, invitations)

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Let members through."""
        chat: Chat | None = data.get("event_chat")
        user: User | None = data.get("event_from_user")
        if not isinstance(event, Update) or chat is None or user is None:
            return None
        if chat.type != ChatType.PRIVATE:
            return None  # in a group everybody would read along
        if event.my_chat_member:
            return await self._moved(event.my_chat_member)
        member = await self._members.member(user.id)
        if member is None:
            return await self._doorstep.meet(event, data["bot"], user)
        if member.blocked_at is not None:
            await self._members.unblocked(user.id)
        member = await self._members.called(member, user.full_name)
        data["seat"] = await self._seats.of(member)
        await _turn_to(data, data["seat"].membership.client_id)
        return await handler(event, data)

    async def _moved(self, change: ChatMemberUpdated) -> None:
        """The person has blocked the bot, or lets it write again."""
        person = change.from_user.id
        if await self._members.member(person) is None:
            return
        if change.new_chat_member.status == ChatMemberStatus.KICKED:
            await self._members.blocked(person)
        else:
            await self._members.unblocked(person)


async def _turn_to(data: dict[str, Any], client_id: str) -> None:
    """A dialogue belongs to the clinic it was begun in: a notice, or the end of a membership, may
    have led the person to another one, where the same button would mean something else."""
    state: FSMContext = data["state"]
    here = FSMContext(state.storage, replace(state.key, destiny=client_id))
    data["state"], data["raw_state"] = here, await here.get_state()
