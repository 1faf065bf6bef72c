"""amoCRM's words in ours: the only place that knows both (contract 4, amocrm.md 3-6)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Literal

from medai.calls.conversion import FieldChange, FieldFacts, PipelineFacts, StatusChange
from medai.crm.amocrm_reading import AmocrmReader
from medai.crm.call_notes import CALL_DIRECTIONS, call_note
from medai.crm.ports import (
    CallEvent,
    CallNote,
    CardFacts,
    Cards,
    CrmUser,
    Happenings,
    LeadFacts,
)
from medai.errors import ProviderStoppedError
from medai.integrations.amocrm.client import AmocrmClient
from medai.integrations.amocrm.models import Company, Contact, Event, Lead, NewNote
from medai.kit.clock import from_unix
from medai.kit.days import Window

_COLLECTIONS: dict[str, Cards] = {"lead": "leads", "contact": "contacts", "company": "companies"}
_STATUS_CHANGED = "lead_status_changed"
_ANY_FIELD_CHANGED = "custom_field_value_changed"
_FORBIDDEN = 403


class AmocrmAccount:
    """One clinic's amoCRM account behind the `Crm` port."""

    def __init__(self, client: AmocrmClient) -> None:
        self._client = client
        self.reader = AmocrmReader(client)

    async def happenings(self, window: Window, *, confirmation_field: int | None) -> Happenings:
        """Calls, status and field changes in one query of events."""
        types = ["incoming_call", "outgoing_call", _STATUS_CHANGED, _ANY_FIELD_CHANGED]
        if confirmation_field is not None:
            types.append(f"custom_field_{confirmation_field}_value_changed")
        found = Happenings()
        async for event in self._client.events(types=types, start=window.start, end=window.end):
            _enter(found, event)
        return found

    async def call_notes(
        self, collection: Cards, note_ids: Sequence[int]
    ) -> AsyncIterator[CallNote]:
        """The call notes with these ids."""
        async for note in self._client.notes(collection, note_ids):
            if note.is_call:
                yield call_note(note, collection)

    async def recent_call_notes(self, collection: Cards, window: Window) -> AsyncIterator[CallNote]:
        """Call notes written or changed in the window (notes-first mode, amocrm.md 12.2)."""
        async for note in self._client.call_notes(
            collection, updated_from=window.start, updated_to=window.end
        ):
            yield call_note(note, collection)

    async def leads(self, lead_ids: Iterable[int]) -> dict[int, LeadFacts]:
        """Leads by id."""
        ids = sorted(lead_ids)
        return {lead.id: _lead(lead) async for lead in self._client.leads(ids)} if ids else {}

    async def cards(
        self, collection: Literal["contacts", "companies"], ids: Iterable[int]
    ) -> dict[int, CardFacts]:
        """Contacts or companies by id."""
        wanted = sorted(ids)
        if not wanted:
            return {}
        if collection == "contacts":
            return {card.id: _card(card) async for card in self._client.contacts(wanted)}
        return {card.id: _card(card) async for card in self._client.companies(wanted)}

    async def pipelines(self) -> list[PipelineFacts]:
        """Pipelines in the CRM's order."""
        return [
            PipelineFacts(p.id, p.name, tuple((status.id, status.name) for status in p.statuses))
            for p in await self._client.pipelines()
        ]

    async def lead_fields(self) -> list[FieldFacts]:
        """Custom fields of leads."""
        return [
            FieldFacts(f.id, f.name, tuple((enum.id, enum.value) for enum in f.enums))
            for f in await self._client.lead_custom_fields()
        ]

    async def timezone(self) -> str:
        """The account's IANA zone or nothing; the cheapest proof that the connection works."""
        return (await self._client.account()).timezone

    async def users(self) -> list[CrmUser]:
        """People of the account; without admin rights amoCRM answers 403 and we do without."""
        try:
            users = await self._client.users()
        except ProviderStoppedError as error:
            if error.status == _FORBIDDEN:
                return []
            raise
        return [CrmUser(user.id, user.name, user.email) for user in users]

    async def find_own_notes(
        self, collection: Cards, entity_id: int, marker: str
    ) -> dict[str, int]:
        """Marker line -> note id of our newest notes on the card."""
        found: dict[str, int] = {}
        for note in await self._client.entity_notes(collection, entity_id, note_type="common"):
            lines = [line.strip() for line in note.text.splitlines()]
            for line in lines:
                if line == marker or line.startswith(f"{marker}:"):
                    found.setdefault(line, note.id)
        return found

    async def add_note(self, collection: Cards, entity_id: int, text: str) -> int:
        """Write a common note that starts no digital pipeline."""
        (note_id,) = await self._client.add_notes(collection, [NewNote(entity_id, text)])
        return note_id


def _enter(found: Happenings, event: Event) -> None:
    if event.type in ("incoming_call", "outgoing_call"):
        collection = _COLLECTIONS.get(event.entity_type)
        if collection is not None and event.note_id is not None:
            found.calls.append(_call_event(event, event.note_id, collection))
    elif event.entity_type == "lead" and event.type == _STATUS_CHANGED and event.status_after:
        status = event.status_after
        found.status_changes.append(
            StatusChange(event.entity_id, event.created_at, status.pipeline_id, status.status_id)
        )
    elif event.entity_type == "lead":
        found.field_changes.extend(
            FieldChange(event.entity_id, event.created_at, item.field_id, item.enum_id, item.text)
            for item in event.fields_after
        )


def _call_event(event: Event, note_id: int, collection: Cards) -> CallEvent:
    return CallEvent(
        event_id=event.id,
        note_id=note_id,
        collection=collection,
        entity_id=event.entity_id,
        direction=CALL_DIRECTIONS[event.type],
        at=event.created_at,
    )


def _lead(lead: Lead) -> LeadFacts:
    main = [lead.main_contact_id] if lead.main_contact_id is not None else []
    others = [i for i in lead.contact_ids if i != lead.main_contact_id]
    epoch = from_unix(0)
    return LeadFacts(
        id=lead.id,
        name=lead.name,
        responsible_user_id=lead.responsible_user_id,
        created_at=lead.created_at or epoch,
        updated_at=lead.updated_at or lead.created_at or epoch,
        contact_ids=(*main, *others),
        texts={
            item.name.strip().lower(): item.values[0].value
            for item in lead.custom_fields
            if item.values
        },
        values={
            item.field_id: tuple((value.enum_id, value.value) for value in item.values)
            for item in lead.custom_fields
        },
    )


def _card(card: Contact | Company) -> CardFacts:
    return CardFacts(card.id, card.name, card.lead_ids, card.contact_ids)
