"""Who is told of what, and whether this is the time."""

from collections.abc import AsyncIterator, Container
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from medai.digests.audience import concerns
from medai.digests.moments import is_quiet
from medai.members.models import Member, Notice


class People(Protocol):
    """The members of clinics; `medai.members.repository.Members` fits. Raises StoreError."""

    def of_clinic(self, client_id: str) -> AsyncIterator[Member]:
        """Everybody with a living membership of the clinic."""

    def all(self) -> AsyncIterator[Member]:
        """Everybody with any living membership."""


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
