"""Who is told of what, and whether this is the time."""

from collections.abc import AsyncIterator, Container
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from medai.digests.audience import concerns
from medai.digests.models import Morning, OwnMorning, PatientNotice, Weekly
from medai.digests.moments import is_quiet
from medai.digests.troubles import Trouble
from medai.members.models import Member, Notice, Role
from medai.processing.digests.deliveries import Due


class People(Protocol):
    """The members of clinics; `medai.members.repository.Members` fits. Raises StoreError."""

    def of_clinic(self, client_id: str) -> AsyncIterator[Member]:
        """Everybody with a living membership of the clinic."""

    def all(self) -> AsyncIterator[Member]:
        """Everybody with any living membership."""

    async def member(self, telegram_id: int) -> Member | None:
        """The person, None without a living membership."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Asked right before each message: while others were written to, for minutes when Telegram
    asks to wait, somebody may have been taken out or given another role. Raises StoreError."""

    people: People
    keeper_chat: int | None

    async def may_read(self, due: Due) -> bool:
        """Whether the message is still for the person of the chat."""
        if due.chat_id == self.keeper_chat:
            return True
        member = await self.people.member(due.chat_id)
        return member is not None and _may_read(member, due)


def concerned(member: Member, client_id: str, notice: Notice) -> bool:
    """Whether the person of the clinic is told of it at all."""
    membership = member.of(client_id)
    return (
        membership is not None
        and concerns(notice, membership.role)
        and notice not in member.switched_off
        and member.blocked_at is None
    )


def split(
    members: list[Member], told: Container[int], now: datetime, tz: ZoneInfo
) -> tuple[list[Member], bool]:
    """Those who are told now, and whether others have to be told after their quiet hours."""
    left = [member for member in members if member.telegram_id not in told]
    ready = [member for member in left if not is_quiet(member.quiet, now, tz)]
    return ready, len(ready) < len(left)


def _may_read(member: Member, due: Due) -> bool:
    match due.content:
        case Morning() as content:
            membership = member.of(content.client_id)
            return (
                membership is not None
                and membership.role.sees_everyone
                and (membership.role is Role.OWNER or not due.for_owner)
            )
        case OwnMorning() as content:
            membership = member.of(content.client_id)
            return membership is not None and membership.administrator == content.administrator
        case Weekly() as content:
            return concerned(member, content.client_id, Notice.WEEKLY)
        case PatientNotice() as content:
            return concerned(member, content.alert.client_id, Notice.MISSED_PATIENT)
        case Trouble() as content:
            clinics = [one.client_id for one in member.memberships]
            own = clinics if content.client_id is None else [content.client_id]
            return any(concerned(member, client_id, Notice.TROUBLE) for client_id in own)
    return False  # what remains is the keeper's
