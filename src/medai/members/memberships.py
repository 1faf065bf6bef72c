"""Who belongs to which clinic: given and taken by one atomic write each."""

from collections.abc import Mapping
from typing import Any

from medai.clinics.repository import ClinicRepository
from medai.infra.documents import Change, Document, Documents
from medai.kit.clock import Clock
from medai.members.models import Membership, Role
from medai.members.records import (
    MEMBERSHIPS,
    membership_document,
    membership_id,
    membership_of,
)

_LIVING: Mapping[str, Any] = {"revoked_at": None}


class Memberships:
    """One document for each person and clinic, kept when revoked. Raises StoreError."""

    def __init__(self, documents: Documents, clinics: ClinicRepository, clock: Clock) -> None:
        self._documents = documents
        self._clinics = clinics
        self._clock = clock

    async def of_person(self, telegram_id: int) -> tuple[Membership, ...]:
        """Living ones, oldest first; those of clinics that are not stored do not count."""
        stored = await self._living({"telegram_id": telegram_id})
        memberships = [membership_of(document) for document in stored]
        return tuple([one for one in memberships if await self._counts(one)])

    async def people(self, client_id: str | None = None) -> list[int]:
        """Telegram ids of the members of a clinic or of all, longest members first."""
        where = {} if client_id is None else {"client_id": client_id}
        return list(dict.fromkeys([one["telegram_id"] for one in await self._living(where)]))

    async def is_last_owner(self, client_id: str, telegram_id: int) -> bool:
        """Whether the person owns the clinic and nobody else does."""
        owners = await self._living({"client_id": client_id, "role": Role.OWNER.value})
        return [one["telegram_id"] for one in owners] == [telegram_id]

    async def has_owner(self, client_id: str) -> bool:
        """Whether anybody owns the clinic."""
        return bool(await self._living({"client_id": client_id, "role": Role.OWNER.value}))

    async def adopt(self, telegram_id: int, membership: Membership) -> bool:
        """Give a membership to whoever never had one in the clinic; False for anybody else."""
        document = membership_document(telegram_id, membership)
        return await self._documents.insert(MEMBERSHIPS, document)

    async def join(self, telegram_id: int, membership: Membership, invitation_id: str) -> bool:
        """Give what an invitation promises, over whatever was there; False when this invitation
        has done so before, even if the membership was revoked since."""
        document = membership_document(telegram_id, membership)
        fields = {**document, "invitation": invitation_id}
        if await self._documents.insert(
            MEMBERSHIPS, {**fields, "invitations": {invitation_id: True}}
        ):
            return True
        del fields["_id"]
        mark = f"invitations.{invitation_id}"
        change = Change(set={**fields, mark: True}, unset=("revoked_by",))
        return await self._documents.update(
            MEMBERSHIPS, document["_id"], change, where={mark: None}
        )

    async def standing(
        self, client_id: str, telegram_id: int, invitation_id: str
    ) -> Membership | None:
        """The living membership that is still as this invitation made it, or None."""
        where = {
            "_id": membership_id(client_id, telegram_id),
            "invitation": invitation_id,
        }
        found = await self._living(where)
        return membership_of(found[0]) if found else None

    async def revoke(self, client_id: str, telegram_id: int, *, by: str) -> bool:
        """Take the membership; False when there is no living one."""
        gone = Change(set={"revoked_at": self._clock(), "revoked_by": by})
        doc_id = membership_id(client_id, telegram_id)
        return await self._documents.update(MEMBERSHIPS, doc_id, gone, where=_LIVING)

    async def give_back(self, client_id: str, telegram_id: int, *, taken_by: str) -> None:
        """Undo a revocation of theirs."""
        back = Change(set={"revoked_at": None}, unset=("revoked_by",))
        doc_id = membership_id(client_id, telegram_id)
        await self._documents.update(MEMBERSHIPS, doc_id, back, where={"revoked_by": taken_by})

    async def _living(self, where: Mapping[str, Any]) -> list[Document]:
        found = self._documents.find(MEMBERSHIPS, {**where, **_LIVING}, sort=(("since", 1),))
        return [document async for document in found]

    async def _counts(self, membership: Membership) -> bool:
        return await self._clinics.by_client_id(membership.client_id) is not None
