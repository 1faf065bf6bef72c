"""People of the bot: who they are and what they chose."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from medai.clinics.repository import ClinicRepository, unknown_clinic
from medai.errors import ConflictError, ForbiddenError, NotFoundError
from medai.infra.documents import Change, Documents
from medai.kit.clock import Clock
from medai.kit.text import clean, shortened
from medai.members.adoption import Adoption
from medai.members.log import MemberEntry, MemberEvent, MemberLog
from medai.members.memberships import Memberships
from medai.members.models import Member, Notice, QuietHours
from medai.members.records import INVITATIONS, MEMBERS, member_of
from medai.members.rules import person, person_id

_LONGEST_NAME = 80


class Members:
    """Reads and changes people. Nothing is kept between two questions, so what is revoked is gone
    at once, in every process. Memberships of clinics that are not stored do not count.

    Raises StoreError.
    """

    def __init__(
        self, documents: Documents, clinics: ClinicRepository, log: MemberLog, clock: Clock
    ) -> None:
        self._documents = documents
        self._log = log
        self._clock = clock
        self.memberships = Memberships(documents, clinics, clock)
        self._adoption = Adoption(clinics, self.memberships, log, clock)

    async def member(self, telegram_id: int) -> Member | None:
        """The person, None without a living membership."""
        await self._adoption.run()
        return await self._found(telegram_id)

    async def of_clinic(self, client_id: str) -> AsyncIterator[Member]:
        """Everybody of the clinic, longest members first."""
        await self._adoption.run()
        for telegram_id in await self.memberships.people(client_id):
            member = await self._found(telegram_id)
            if member is not None and member.of(client_id):
                yield member

    async def all(self) -> AsyncIterator[Member]:
        """Everybody, each once."""
        await self._adoption.run()
        for telegram_id in await self.memberships.people():
            member = await self._found(telegram_id)
            if member is not None:
                yield member

    async def look_at(self, telegram_id: int, client_id: str) -> Member:
        """The person looks at that clinic from now on. Raises NotFoundError for a foreign one, in
        the words of an unknown one."""
        member = await self.member(telegram_id)
        if member is None or member.of(client_id) is None:
            raise unknown_clinic(client_id)
        return await self._chosen(telegram_id, {"client_id": client_id})

    async def switch(self, telegram_id: int, notice: Notice, on: bool) -> Member:
        """Whether the person wants such notices. Raises NotFoundError for a stranger."""
        return await self._chosen(telegram_id, {f"switched_off.{notice.value}": not on})

    async def set_quiet(self, telegram_id: int, quiet: QuietHours) -> Member:
        """When the person wants no notices. Raises NotFoundError for a stranger."""
        return await self._chosen(telegram_id, {"quiet": quiet.model_dump()})

    async def named(self, telegram_id: int, name: str) -> Member:
        """What Telegram calls the person now. Raises NotFoundError for a stranger."""
        return await self._chosen(telegram_id, {"name": _shown(name)})

    async def called(self, member: Member, name: str) -> Member:
        """The person under the name that Telegram shows now: owners of an old clinic have none
        before they write. Raises NotFoundError for whoever is out by now."""
        shown = _shown(name)
        if not shown or shown == member.name:
            return member
        return await self.named(member.telegram_id, shown)

    async def welcome(self, telegram_id: int, name: str, client_id: str) -> None:
        """Who has just come in by an invitation looks at its clinic and can be written to."""
        chosen = {"name": _shown(name), "client_id": client_id, "blocked_at": None}
        await self._put(telegram_id, chosen)

    async def blocked(self, telegram_id: int) -> None:
        """Telegram says that the person blocked the bot: remembered since the first time."""
        member = await self.member(telegram_id)
        if member is not None and member.blocked_at is None:
            await self._put(telegram_id, {"blocked_at": self._clock()})

    async def unblocked(self, telegram_id: int) -> None:
        """The person can be written to again."""
        change = Change(set={"blocked_at": None})
        await self._documents.update(MEMBERS, str(telegram_id), change)

    async def revoke(self, client_id: str, telegram_id: int, *, by: str) -> None:
        """The person is out of the clinic from this moment, and so are their open invitations.

        `by` "telegram:<id>" is a person of the bot: an owner of the clinic, or whoever leaves.
        The last owner is taken out by the command line or the API only, so that a clinic is never
        left to nobody by a tap. Raises NotFoundError, ForbiddenError, ConflictError.
        """
        member = await self.member(telegram_id)
        await self._may_revoke(client_id, telegram_id, person_id(by))
        membership = member.of(client_id) if member else None
        done = await self.memberships.revoke(client_id, telegram_id, by=by)
        if membership is None or not done:
            raise _nobody()
        if person_id(by) is not None and not await self.memberships.has_owner(client_id):
            # Two owners took each other out at once: whoever wrote last undoes it.
            await self.memberships.give_back(client_id, telegram_id, taken_by=by)
            raise _last_owner()
        await self._close_invitations(client_id, telegram_id)
        await self._log.note(
            MemberEntry(
                at=self._clock(),
                client_id=client_id,
                what=MemberEvent.REVOKED,
                by=by,
                role=membership.role,
                administrator=membership.administrator,
                telegram_id=telegram_id,
            )
        )

    async def require_owner(self, client_id: str, by: str) -> None:
        """Raises ForbiddenError when `by` is a person of the bot who does not own the clinic."""
        telegram_id = person_id(by)
        if telegram_id is None:
            return
        member = await self.member(telegram_id)
        membership = member.of(client_id) if member else None
        if membership is None or not membership.role.invites:
            raise ForbiddenError("Приглашать и исключать людей может только владелец клиники")

    async def _may_revoke(self, client_id: str, telegram_id: int, by: int | None) -> None:
        if by is None:
            return
        if by != telegram_id:
            await self.require_owner(client_id, person(by))
        if await self.memberships.is_last_owner(client_id, telegram_id):
            raise _last_owner()

    async def _close_invitations(self, client_id: str, telegram_id: int) -> None:
        where = {
            "client_id": client_id,
            "created_by": person(telegram_id),
            "used_at": None,
            "revoked_at": None,
        }
        change = Change(set={"revoked_at": self._clock()})
        await self._documents.update_many(INVITATIONS, where, change)

    async def _found(self, telegram_id: int) -> Member | None:
        memberships = await self.memberships.of_person(telegram_id)
        if not memberships:
            return None
        document = await self._documents.get(MEMBERS, str(telegram_id))
        return member_of(telegram_id, document, memberships)

    async def _chosen(self, telegram_id: int, fields: Mapping[str, Any]) -> Member:
        if await self.member(telegram_id) is not None:
            await self._put(telegram_id, fields)
            member = await self._found(telegram_id)
            if member is not None:
                return member
        raise _nobody()

    async def _put(self, telegram_id: int, fields: Mapping[str, Any]) -> None:
        """Set fields of the person's document, which the first of them creates."""
        doc_id, change = str(telegram_id), Change(set=fields)
        if not await self._documents.update(MEMBERS, doc_id, change):
            await self._documents.insert(MEMBERS, {"_id": doc_id})
            await self._documents.update(MEMBERS, doc_id, change)


def _shown(name: str) -> str:
    return shortened(" ".join(clean(name).split()), _LONGEST_NAME)


def _nobody() -> NotFoundError:
    return NotFoundError("Такого человека в клинике нет: проверьте его номер в medai members list")


def _last_owner() -> ConflictError:
    return ConflictError(
        "Последнего владельца клиники бот не исключает: сначала пригласите другого владельца"
    )
