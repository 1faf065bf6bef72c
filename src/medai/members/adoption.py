"""Owners of an old installation: the bot of that time knew them by `Clinic.telegram_ids`."""

from medai.clinics.repository import ClinicRepository
from medai.kit.clock import Clock
from medai.members.log import MemberEntry, MemberEvent, MemberLog
from medai.members.memberships import Memberships
from medai.members.models import Membership, Role
from medai.members.records import membership_id

ADOPTED_BY = "telegram_ids"
"""Who let these owners in, as logs and lists tell it."""


class Adoption:
    """Whoever a clinic document names becomes its owner (contract 9): once, so that whoever was
    taken out later stays out. Raises StoreError."""

    def __init__(
        self, clinics: ClinicRepository, memberships: Memberships, log: MemberLog, clock: Clock
    ) -> None:
        self._clinics = clinics
        self._memberships = memberships
        self._log = log
        self._clock = clock
        self._done: set[str] = set()
        """Ids of memberships this process has seen to: saves writes, decides nothing."""

    async def run(self) -> None:
        """Adopt whoever was not. Without old clinics it is one question with an empty answer."""
        async for clinic in self._clinics.with_telegram_ids():
            for telegram_id in clinic.telegram_ids:
                doc_id = membership_id(clinic.client_id, telegram_id)
                if doc_id not in self._done and telegram_id > 0:  # groups have negative ids
                    await self._adopt(clinic.client_id, telegram_id)
                    self._done.add(doc_id)

    async def _adopt(self, client_id: str, telegram_id: int) -> None:
        now = self._clock()
        membership = Membership(
            client_id=client_id, role=Role.OWNER, since=now, invited_by=ADOPTED_BY
        )
        if not await self._memberships.adopt(telegram_id, membership):
            return
        await self._log.note(
            MemberEntry(
                at=now,
                client_id=client_id,
                what=MemberEvent.ADOPTED,
                by=ADOPTED_BY,
                role=Role.OWNER,
                telegram_id=telegram_id,
            )
        )
