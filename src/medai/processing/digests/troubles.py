"""Technical troubles of clinics and of the installation: told once, and once that they are over."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.clinics.zones import shown_zone
from medai.digests.troubles import (
    TOLD_AFTER_END,
    Trouble,
    TroubleKind,
    compared,
    is_worse_quota,
    quota_troubles,
    trouble,
)
from medai.infra.documents import Collection, Document, Documents, Range
from medai.kit.clock import Clock
from medai.members.models import Member, Notice
from medai.processing.digests.deliveries import Deliveries, Due, Kind, State
from medai.processing.digests.people import People, concerned, split
from medai.processing.stops import CRM, Stop, Stops

TROUBLES = Collection("troubles", indexes=(("over_at",), ("place",)))
LOOK_AGAIN = timedelta(minutes=10)
"""Somebody's quiet hours may have ended, or there is a new owner."""
_KINDS = {CRM: TroubleKind.CRM, "elevenlabs": TroubleKind.SPEECH, "openai": TroubleKind.MODEL}


class Troubles:
    """Troubles in the document store. Raises StoreError.

    `keeper_chat` is the chat of TELEGRAM_ADMIN_CHAT_ID: it hears of every clinic, at any hour.
    """

    def __init__(
        self,
        *,
        documents: Documents,
        clinics: ClinicRepository,
        stops: Stops,
        people: People,
        deliveries: Deliveries,
        clock: Clock,
        keeper_chat: int | None,
    ) -> None:
        self._documents = documents
        self._clinics = clinics
        self._stops = stops
        self._people = people
        self._deliveries = deliveries
        self._clock = clock
        self._keeper_chat = keeper_chat
        self._settled: dict[str, datetime] = {}

    async def look(self) -> None:
        """Compare what stands still and what runs out with what is stored."""
        now = self._clock()
        clinics = {clinic.client_id: clinic async for clinic in self._clinics.all()}
        present = [_of_stop(stop, clinics) async for stop in self._stops.standing()]
        for clinic in clinics.values():
            present += quota_troubles(clinic, now)
        known = [one async for one in self._stored({"over_at": None})]
        changes = compared(known, present, now)
        for begun in changes.begun:
            await self._documents.insert(TROUBLES, _document(begun))
        if changes.changed:
            await self._documents.put_many(TROUBLES, [_document(one) for one in changes.changed])

    async def due(self) -> AsyncGenerator[Due, None]:
        """Messages about troubles that stand and about those that have just ended."""
        now = self._clock()
        standing = [one async for one in self._stored({"over_at": None})]
        over = [one async for one in self._stored({"over_at": Range(above=now - TOLD_AFTER_END)})]
        for one in standing:
            if one.gone_at is None and not self._is_settled(one, now):
                async for due in self._begun(one, now):
                    yield due
        for one in over:
            if not is_worse_quota(one, standing):
                async for due in self._ended(one, now):
                    yield due

    async def _begun(self, one: Trouble, now: datetime) -> AsyncGenerator[Due, None]:
        told = await self._deliveries.told(_subject(one))
        chats = await self._chats(one, list(told), now)
        for chat_id in chats:
            yield Due(Kind.TROUBLE, chat_id, _subject(one), one)
        if not chats:
            self._settled[one.id] = now

    def _is_settled(self, one: Trouble, now: datetime) -> bool:
        """Whether there was nobody to tell a short while ago: 200 clinics may be out of minutes."""
        looked = self._settled.get(one.id)
        return looked is not None and now - looked < LOOK_AGAIN

    async def _ended(self, one: Trouble, now: datetime) -> AsyncGenerator[Due, None]:
        """The end is told to those who know of the beginning."""
        informed = await self._deliveries.told(_subject(one))
        known = {chat_id for chat_id, it in informed.items() if it.state is not State.REFUSED}
        if not known:
            return
        told = await self._deliveries.told(_end(one))
        for chat_id in await self._chats(one, list(told), now):
            if chat_id in known:
                yield Due(Kind.ALL_CLEAR, chat_id, _end(one), one)

    async def _chats(self, one: Trouble, told: Sequence[int], now: datetime) -> list[int]:
        chats: list[int] = []
        if self._keeper_chat is not None and self._keeper_chat not in told:
            chats.append(self._keeper_chat)
        for member, tz in await self._owners(one):
            ready, _ = split([member], told, now, tz)
            if ready and member.telegram_id not in chats:
                chats.append(member.telegram_id)
        return chats

    async def _owners(self, one: Trouble) -> list[tuple[Member, ZoneInfo]]:
        """Owners with the clock that their quiet hours are read on."""
        if one.client_id is not None:
            tz = shown_zone(await self._clinics.by_client_id(one.client_id))
            members = [member async for member in self._people.of_clinic(one.client_id)]
            return [(member, tz) for member in members if _concerns(member, one.client_id)]
        found = []
        async for member in self._people.all():
            if any(_concerns(member, each.client_id) for each in member.memberships):
                clinic = await self._clinics.by_client_id(member.membership.client_id)
                found.append((member, shown_zone(clinic)))
        return found

    async def _stored(self, where: Document) -> AsyncIterator[Trouble]:
        async for document in self._documents.find(TROUBLES, where, sort=(("since", 1),)):
            fields = dict(document)
            yield Trouble(id=fields.pop("_id"), **fields)


def _of_stop(stop: Stop, clinics: dict[str, Clinic]) -> Trouble:
    clinic = clinics.get(stop.client_id) if stop.client_id else None
    return trouble(
        _KINDS[stop.provider],
        f"stop:{stop.id}",
        stop.since,
        stop.client_id,
        clinic_name=clinic.name if clinic else "",
        message=stop.message,
    )


def _concerns(member: Member, client_id: str) -> bool:
    return concerned(member, client_id, Notice.TROUBLE)


def _subject(one: Trouble) -> str:
    return f"trouble:{one.id}"


def _end(one: Trouble) -> str:
    return f"over:{one.id}"


def _document(one: Trouble) -> Document:
    fields = one.model_dump()
    return {"_id": fields.pop("id"), **fields}
