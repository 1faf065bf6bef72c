"""Who let whom in, as whom, and who took whom out."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum

from medai.infra.documents import Collection, Documents
from medai.kit.ids import random_id
from medai.kit.model import Frozen
from medai.members.models import Role

MEMBER_LOG = Collection("member_log", indexes=(("client_id", "at"),))


class MemberEvent(StrEnum):
    """What happened."""

    INVITED = "invited"
    INVITATION_REVOKED = "invitation_revoked"
    JOINED = "joined"
    ROLE_CHANGED = "role_changed"
    ADOPTED = "adopted"
    REVOKED = "revoked"


class MemberEntry(Frozen):
    """One event. `by`: "telegram:<id>", "api:<name of a key>", "cli", or "telegram_ids" for
    owners of an old clinic document. `telegram_id` None: nobody has used the invitation yet."""

    at: datetime
    client_id: str
    what: MemberEvent
    by: str
    role: Role
    administrator: str = ""
    telegram_id: int | None = None
    invitation_id: str = ""


class MemberLog:
    """Entries are only added. Raises StoreError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def note(self, entry: MemberEntry) -> None:
        """Add an entry."""
        await self._documents.insert(MEMBER_LOG, {"_id": random_id(), **entry.model_dump()})

    async def newest(self, client_id: str, limit: int) -> AsyncIterator[MemberEntry]:
        """The newest entries of a clinic, newest first."""
        where, sort = {"client_id": client_id}, (("at", -1),)
        async for document in self._documents.find(MEMBER_LOG, where, sort=sort, limit=limit):
            document.pop("_id")
            yield MemberEntry(**document)
