"""amoCRM behind the `CrmReader` port."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from medai.crm.call_notes import call_note
from medai.crm.ports import CallNote, Cards
from medai.crm.reading import (
    CALL_EVENTS,
    MOST_NOTES,
    CardNotes,
    ContactCard,
    LeadCard,
    LoggedEvent,
    LogPage,
)
from medai.integrations.amocrm.client import AmocrmClient
from medai.integrations.amocrm.models import Event, Lead
from medai.kit.days import Window
from medai.kit.foreign import presentable
from medai.kit.text import clean


class AmocrmReader:
    """One clinic's amoCRM account, read for people."""

    def __init__(self, client: AmocrmClient) -> None:
        self._client = client

    async def leads_created(self, window: Window) -> list[LeadCard]:
        """See `CrmReader`."""
        return [_lead(lead) for lead in await self._client.leads_created(window.start, window.end)]

    async def leads(self, lead_ids: Sequence[int]) -> dict[int, LeadCard]:
        """See `CrmReader`."""
        return {lead.id: _lead(lead) async for lead in self._client.leads(lead_ids)}

    async def contacts(self, contact_ids: Sequence[int]) -> dict[int, ContactCard]:
        """See `CrmReader`."""
        return {
            card.id: ContactCard(card.id, clean(card.name), card.lead_ids, presentable(card.raw))
            async for card in self._client.contacts(contact_ids)
        }

    async def card_notes(self, collection: Cards, card_ids: Sequence[int]) -> CardNotes:
        """See `CrmReader`."""
        notes = await self._client.card_notes(collection, card_ids, at_most=MOST_NOTES)
        calls = [call_note(note, collection) for note in notes if note.is_call]
        calls.sort(key=lambda call: (call.started_at, call.note_id), reverse=True)
        return CardNotes(tuple(calls), dict(Counter(clean(note.type) for note in notes)))

    async def call_notes(self, collection: Cards, note_ids: Sequence[int]) -> dict[int, CallNote]:
        """See `CrmReader`."""
        return {
            note.id: call_note(note, collection)
            async for note in self._client.notes(collection, note_ids)
            if note.is_call
        }

    async def log_page(
        self,
        types: Sequence[str],
        start: datetime | None,
        end: datetime | None,
        *,
        number: int,
        size: int,
    ) -> LogPage:
        """See `CrmReader`."""
        page = await self._client.event_page(types, start, end, number=number, size=size)
        events = sorted(page.events, key=lambda event: (event.created_at, event.id), reverse=True)
        return LogPage(
            tuple(_event(event) for event in events), presentable(page.links), page.has_next
        )

    async def logged_calls(self, window: Window) -> AsyncIterator[LoggedEvent]:
        """See `CrmReader`."""
        found = self._client.events(types=CALL_EVENTS, start=window.start, end=window.end)
        async for event in found:
            yield _event(event)


def _lead(lead: Lead) -> LeadCard:
    main = [lead.main_contact_id] if lead.main_contact_id is not None else []
    others = [one for one in lead.contact_ids if one != lead.main_contact_id]
    return LeadCard(
        id=lead.id,
        name=clean(lead.name),
        created_at=lead.created_at,
        pipeline_id=lead.pipeline_id,
        status_id=lead.status_id,
        responsible_user_id=lead.responsible_user_id,
        price=lead.price,
        contact_ids=(*main, *others),
        as_sent=presentable(lead.raw),
    )


def _event(event: Event) -> LoggedEvent:
    return LoggedEvent(
        id=clean(event.id),
        type=clean(event.type),
        entity_id=event.entity_id,
        entity_type=clean(event.entity_type),
        at=event.created_at,
        note_id=event.note_id,
        as_sent=presentable(event.raw),
    )
