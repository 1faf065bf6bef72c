"""Looking things up in a clinic's CRM for a person: the port, in our words (contract 1.5).

Nothing that is read here is stored. `as_sent` is the CRM's own JSON, harmless to show.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from medai.crm.ports import CallNote, Cards
from medai.kit.days import Window

CALL_EVENTS = ("incoming_call", "outgoing_call")
MOST_NOTES = 1000
"""Notes of one card, or of all leads of a contact, that are looked at."""


@dataclass(frozen=True, slots=True)
class LeadCard:
    """A lead as people see it; `contact_ids` has the main contact first."""

    id: int
    name: str
    created_at: datetime | None
    pipeline_id: int | None
    status_id: int | None
    responsible_user_id: int | None
    price: int
    contact_ids: tuple[int, ...]
    as_sent: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A contact with the ids of its leads."""

    id: int
    name: str
    lead_ids: tuple[int, ...]
    as_sent: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardNotes:
    """Call notes of some cards, newest first, and how many notes of each type the cards hold."""

    calls: tuple[CallNote, ...]
    types: dict[str, int]


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One entry of the CRM's log. `entity_type` is singular ("lead"); `note_id` is a call's."""

    id: str
    type: str
    entity_id: int
    entity_type: str
    at: datetime
    note_id: int | None
    as_sent: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log, newest first. `links` are the CRM's own."""

    events: tuple[LoggedEvent, ...]
    links: Mapping[str, Any]
    has_next: bool


class CrmReader(Protocol):
    """One clinic's CRM account, read for people. Methods raise the ProviderError family."""

    async def leads_created(self, window: Window) -> list[LeadCard]:
        """Leads created in the window, newest first; their contacts are not asked for."""

    async def leads(self, lead_ids: Sequence[int]) -> dict[int, LeadCard]:
        """The leads that still exist, by id."""

    async def contacts(self, contact_ids: Sequence[int]) -> dict[int, ContactCard]:
        """The contacts that still exist, by id."""

    async def card_notes(self, collection: Cards, card_ids: Sequence[int]) -> CardNotes:
        """Notes of the cards, MOST_NOTES at most."""

    async def call_notes(self, collection: Cards, note_ids: Sequence[int]) -> dict[int, CallNote]:
        """The call notes with these ids, by id."""

    async def log_page(
        self,
        types: Sequence[str],
        start: datetime | None,
        end: datetime | None,
        *,
        number: int,
        size: int,
    ) -> LogPage:
        """Page `number` (from 1) of the log; no types means all, None leaves a side open."""

    def logged_calls(self, window: Window) -> AsyncIterator[LoggedEvent]:
        """Every call event of the window, oldest first."""
