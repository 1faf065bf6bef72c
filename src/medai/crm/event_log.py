"""The CRM's event log for people who look for calls that are missing (contract 1.5)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.crm.lookups import Readers
from medai.crm.ports import CallNote, Cards
from medai.crm.reading import CALL_EVENTS, CrmReader, LeadCard, LoggedEvent, LogPage
from medai.infra.documents import MAX_IDS_PER_QUERY
from medai.kit.chunks import chunks

LARGEST_PAGE = 100
"""amoCRM answers a larger one with 50 rows (amocrm.md 2.3)."""

COLLECTIONS: Mapping[str, Cards] = {
    "lead": "leads",
    "contact": "contacts",
    "company": "companies",
}
"""By the `entity_type` of an event."""


@dataclass(frozen=True, slots=True)
class Period:
    """Moments `start <= t < end`; None leaves a side open."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class LogExtract:
    """Events newest first. `notes` holds the notes of call events that still exist, by id."""

    events: Sequence[LoggedEvent]
    notes: Mapping[int, CallNote]
    links: Mapping[str, object]
    pages: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class EventLead:
    """The lead behind an event; `name` None: it is gone."""

    id: int
    name: str | None


class EventLog:
    """Reads one clinic's log. Methods raise the ProviderError family, StoreError."""

    def __init__(self, readers: Readers, calls: CallRepository) -> None:
        self._readers = readers
        self._calls = calls

    async def newest(
        self, clinic: Clinic, types: Sequence[str], period: Period, limit: int
    ) -> LogExtract:
        """The newest events of the types (none: all), with the notes of their calls."""
        crm = await self._readers.reader(clinic)
        size = min(limit, LARGEST_PAGE)
        pages = [one async for one in _pages(crm, types, period, size, -(-limit // size))]
        return await _extract(crm, pages, limit, with_notes=True)

    async def extract(
        self,
        clinic: Clinic,
        types: Sequence[str],
        period: Period,
        max_pages: int,
        *,
        with_notes: bool,
    ) -> LogExtract:
        """All events of the types that `max_pages` requests bring."""
        crm = await self._readers.reader(clinic)
        pages = [one async for one in _pages(crm, types, period, LARGEST_PAGE, max_pages)]
        return await _extract(crm, pages, LARGEST_PAGE * max_pages, with_notes=with_notes)

    async def leads_of(self, clinic: Clinic, events: Sequence[LoggedEvent]) -> dict[str, EventLead]:
        """The lead behind each event that has one, by event id: its card, or the newest lead of
        its contact. What a sync has found out already is not asked for again: an account without
        the paid filter would be asked for every card by itself (amocrm.md 2.4)."""
        found = await self._known_leads(clinic.client_id, events)
        rest = [event for event in events if event.id not in found]
        return found | await self._asked_leads(clinic, rest)

    async def _known_leads(
        self, client_id: str, events: Sequence[LoggedEvent]
    ) -> dict[str, EventLead]:
        found: dict[str, EventLead] = {}
        for some in chunks([event for event in events if event.note_id], MAX_IDS_PER_QUERY):
            ids = [event.note_id for event in some if event.note_id]
            stored = await self._calls.of_notes(client_id, ids)
            for event in some:
                call = stored.get(event.note_id or 0)
                if call is not None and call.lead_id is not None:
                    found[event.id] = EventLead(call.lead_id, call.lead_name)
        return found

    async def _asked_leads(
        self, clinic: Clinic, events: Sequence[LoggedEvent]
    ) -> dict[str, EventLead]:
        crm = await self._readers.reader(clinic)
        contact_ids = _cards(events, "contact")
        contacts = await crm.contacts(contact_ids) if contact_ids else {}
        lead_ids = {*_cards(events, "lead")}
        lead_ids.update(one for card in contacts.values() for one in card.lead_ids)
        leads = await crm.leads(sorted(lead_ids)) if lead_ids else {}
        found: dict[str, EventLead] = {}
        for event in events:
            card = contacts.get(event.entity_id) if event.entity_type == "contact" else None
            ids = (
                (event.entity_id,) if event.entity_type == "lead" else card.lead_ids if card else ()
            )
            own = [leads[one] for one in ids if one in leads]
            if own:
                newest = max(own, key=_newest)
                found[event.id] = EventLead(newest.id, newest.name)
            elif event.entity_type == "lead":
                found[event.id] = EventLead(event.entity_id, None)
        return found


async def _pages(
    crm: CrmReader, types: Sequence[str], period: Period, size: int, most: int
) -> AsyncIterator[LogPage]:
    for number in range(1, most + 1):
        page = await crm.log_page(types, period.start, period.end, number=number, size=size)
        yield page
        if not page.has_next:
            return


async def _extract(
    crm: CrmReader, pages: Sequence[LogPage], limit: int, *, with_notes: bool
) -> LogExtract:
    # A new event shifts the pages, so the last of one may come again as the first of the next.
    by_id = {event.id: event for page in pages for event in page.events}
    events = sorted(by_id.values(), key=lambda event: (event.at, event.id), reverse=True)[:limit]
    notes = await notes_of(crm, events) if with_notes else {}
    return LogExtract(events, notes, pages[-1].links, len(pages), pages[-1].has_next)


async def notes_of(crm: CrmReader, events: Sequence[LoggedEvent]) -> dict[int, CallNote]:
    """The notes of the call events among these that still exist, by id."""
    found: dict[int, CallNote] = {}
    for word, collection in COLLECTIONS.items():
        ids = [
            event.note_id
            for event in events
            if event.type in CALL_EVENTS and event.entity_type == word and event.note_id
        ]
        if ids:
            found |= await crm.call_notes(collection, ids)
    return found


def _cards(events: Sequence[LoggedEvent], entity_type: str) -> list[int]:
    return sorted({event.entity_id for event in events if event.entity_type == entity_type})


def _newest(lead: LeadCard) -> tuple[float, int]:
    return (lead.created_at.timestamp() if lead.created_at else 0.0, lead.id)
