"""Codes that let one person in once."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

from medai.clinics.repository import ClinicRepository
from medai.errors import InvalidInputError, NotFoundError
from medai.infra.crypto import digest_of
from medai.infra.documents import Change, Documents, Range
from medai.kit.clock import Clock
from medai.kit.ids import random_id
from medai.kit.pace import Pace
from medai.members.log import MemberEntry, MemberEvent, MemberLog
from medai.members.models import Invitation, Membership, Role
from medai.members.records import INVITATIONS, invitation_document, invitation_of
from medai.members.repository import Members
from medai.members.rules import code_in, named_administrator

INVITATION_LIFE = timedelta(days=7)
SHORTEST_LIFE, LONGEST_LIFE = timedelta(minutes=5), timedelta(days=60)
_CODE_BYTES = 16
"""128 bits, as 32 hexadecimal digits: no guessing, and a /start payload of Telegram (at most 64 of
A-Za-z0-9_-) that survives being copied by hand."""
_GUESSES_PER_MINUTE = 6


class Invitations:
    """Codes are stored hashed and given out once. Raises StoreError."""

    def __init__(
        self,
        documents: Documents,
        clinics: ClinicRepository,
        members: Members,
        log: MemberLog,
        clock: Clock,
    ) -> None:
        self._documents = documents
        self._clinics = clinics
        self._members = members
        self._log = log
        self._clock = clock
        self._pace = Pace(_GUESSES_PER_MINUTE)

    async def create(
        self,
        client_id: str,
        role: Role,
        *,
        administrator: str = "",
        by: str,
        life: timedelta = INVITATION_LIFE,
    ) -> tuple[Invitation, str]:
        """A new invitation and its code, which is shown once and never again.

        `administrator` as calls carry it, for that role and no other. `by` "telegram:<id>" is a
        person of the bot and has to own the clinic. Raises InvalidInputError for what does not
        fit, NotFoundError for an unknown clinic, ForbiddenError.
        """
        await self._clinics.require(client_id)
        await self._members.require_owner(client_id, by)
        if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
            raise InvalidInputError(f"Приглашение живёт от 5 минут до {LONGEST_LIFE.days} дней")
        now, code = self._clock(), secrets.token_hex(_CODE_BYTES)
        invitation = Invitation(
            id=random_id(),
            digest=digest_of(code),
            client_id=client_id,
            role=role,
            administrator=named_administrator(role, administrator),
            created_at=now,
            created_by=by,
            expires_at=now + life,
        )
        await self._documents.insert(INVITATIONS, invitation_document(invitation))
        await self._note(MemberEvent.INVITED, invitation, by=by)
        return invitation, code

    async def accept(self, code: str, telegram_id: int, name: str) -> Membership:
        """Let the person in: of several with one code exactly one. `code` may be the whole link.

        Who has got in by it is told the same again, unless they were taken out meanwhile. In a
        clinic they belong to, their role changes. Raises InvalidInputError, in the same words for
        an unknown, used, expired and revoked code; in others for too many attempts and for the
        last owner of a clinic, who would leave it to nobody.
        """
        if self._pace.wait(str(telegram_id), self._clock().timestamp()):
            raise InvalidInputError("Слишком много попыток: подождите минуту и попробуйте снова")
        invitation = await self._by_code(code_in(code))
        if invitation is None or await self._clinics.by_client_id(invitation.client_id) is None:
            raise _useless()
        if invitation.used_by != telegram_id:
            await self._keeps_an_owner(invitation, telegram_id)
            invitation = await self._taken(invitation, telegram_id)
        return await self._let_in(invitation, telegram_id, name)

    async def revoke(self, invitation_id: str, *, by: str, client_id: str | None = None) -> None:
        """The code lets nobody in from now on; twice is once.

        With `client_id`, an invitation of another clinic is an unknown one.

        Raises NotFoundError for an unknown or used one, ForbiddenError for a person who does not
        own the clinic.
        """
        document = await self._documents.get(INVITATIONS, invitation_id)
        if document is None:
            raise _unknown()
        invitation = invitation_of(document)
        if client_id not in (None, invitation.client_id):
            raise _unknown()
        await self._members.require_owner(invitation.client_id, by)
        change = Change(set={"revoked_at": self._clock()})
        unused = {"used_at": None, "revoked_at": None}
        if await self._documents.update(INVITATIONS, invitation_id, change, where=unused):
            await self._note(MemberEvent.INVITATION_REVOKED, invitation, by=by)
        elif invitation.revoked_at is None:
            raise _unknown()

    async def open(self, client_id: str) -> AsyncIterator[Invitation]:
        """Invitations that somebody can still use, oldest first."""
        where = {"client_id": client_id, **self._usable()}
        async for document in self._documents.find(INVITATIONS, where, sort=(("created_at", 1),)):
            yield invitation_of(document)

    async def _by_code(self, code: str) -> Invitation | None:
        where = {"digest": digest_of(code.lower())}
        async for document in self._documents.find(INVITATIONS, where, sort=(), limit=1):
            return invitation_of(document)
        return None

    async def _taken(self, invitation: Invitation, telegram_id: int) -> Invitation:
        """One write decides who gets in."""
        taken = {"used_at": self._clock(), "used_by": telegram_id}
        change, usable = Change(set=taken), self._usable()
        if await self._documents.update(INVITATIONS, invitation.id, change, where=usable):
            return invitation.model_copy(update=taken)
        stored = await self._documents.get(INVITATIONS, invitation.id)
        if stored is None or stored["used_by"] != telegram_id:  # theirs: the other of two taps
            raise _useless()
        return invitation_of(stored)

    async def _let_in(self, invitation: Invitation, telegram_id: int, name: str) -> Membership:
        """Also for a code this person used before: an update came twice, or we died half-way."""
        client_id, memberships = invitation.client_id, self._members.memberships
        former = await self._members.member(telegram_id)
        membership = Membership(
            client_id=client_id,
            role=invitation.role,
            administrator=invitation.administrator,
            since=invitation.used_at or self._clock(),
            invited_by=invitation.created_by,
        )
        if not await memberships.join(telegram_id, membership, invitation.id):
            standing = await memberships.standing(client_id, telegram_id, invitation.id)
            if standing is None:
                raise _useless()
            return standing
        await self._members.welcome(telegram_id, name, client_id)
        was_in = former is not None and former.of(client_id) is not None
        what = MemberEvent.ROLE_CHANGED if was_in else MemberEvent.JOINED
        await self._note(what, invitation, by=invitation.created_by, telegram_id=telegram_id)
        return membership

    async def _keeps_an_owner(self, invitation: Invitation, telegram_id: int) -> None:
        if invitation.role is Role.OWNER:
            return
        if await self._members.memberships.is_last_owner(invitation.client_id, telegram_id):
            raise InvalidInputError(
                "Вы последний владелец этой клиники: сначала пригласите другого владельца"
            )

    async def _note(
        self, what: MemberEvent, invitation: Invitation, *, by: str, telegram_id: int | None = None
    ) -> None:
        await self._log.note(
            MemberEntry(
                at=self._clock(),
                client_id=invitation.client_id,
                what=what,
                by=by,
                role=invitation.role,
                administrator=invitation.administrator,
                telegram_id=telegram_id,
                invitation_id=invitation.id,
            )
        )

    def _usable(self) -> dict[str, object]:
        return {"used_at": None, "revoked_at": None, "expires_at": Range(above=self._clock())}


def _useless() -> InvalidInputError:
    return InvalidInputError("Код приглашения не подходит: попросите у владельца клиники новый")


def _unknown() -> NotFoundError:
    return NotFoundError("Приглашение не найдено или уже использовано: medai members invitations")
