"""What the product needs from a CRM account, in our words. `crm/amocrm.py` keeps it for amoCRM."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from medai.calls.conversion import FieldChange, FieldFacts, PipelineFacts, StatusChange
from medai.calls.models import Direction
from medai.kit.days import Window

Cards = Literal["leads", "contacts", "companies"]
"""The three kinds of cards that hold call notes (amocrm.md 5)."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """The CRM saw a call; everything else about it is in its note."""

    event_id: str
    note_id: int
    collection: Cards
    entity_id: int
    direction: Direction
    at: datetime


@dataclass(frozen=True, slots=True)
class CallNote:
    """A call as the PBX wrote it on a card. `responsible_name` is set when the PBX sent a name.

    `status` is the CRM's number for how the call ended, `result` the PBX's own words.
    """

    note_id: int
    collection: Cards
    entity_id: int
    direction: Direction
    started_at: datetime
    duration_seconds: int
    phone: str
    link: str | None
    uniq: str | None
    responsible_user_id: int | None
    responsible_name: str
    status: int | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """A lead: names, custom fields by name and by id, linked contacts with the main one first."""

    id: int
    name: str
    responsible_user_id: int | None
    created_at: datetime
    updated_at: datetime
    contact_ids: tuple[int, ...]
    texts: dict[str, str]
    values: dict[int, tuple[tuple[int | None, str], ...]]


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A contact or company with its leads and contacts."""

    id: int
    name: str
    lead_ids: tuple[int, ...]
    contact_ids: tuple[int, ...] = ()


@dataclass(slots=True)
class Happenings:
    """Everything of interest that happened in one window."""

    calls: list[CallEvent] = field(default_factory=list)
    status_changes: list[StatusChange] = field(default_factory=list)
    field_changes: list[FieldChange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CrmUser:
    """A person of the account."""

    id: int
    name: str
    email: str


class Crm(Protocol):
    """One clinic's CRM account. Methods raise the ProviderError family."""

    async def happenings(self, window: Window, *, confirmation_field: int | None) -> Happenings:
        """Calls, status and field changes of the window, in as few requests as possible."""

    def call_notes(self, collection: Cards, note_ids: Sequence[int]) -> AsyncIterator[CallNote]:
        """The call notes with these ids; missing ones are left out."""

    def recent_call_notes(self, collection: Cards, window: Window) -> AsyncIterator[CallNote]:
        """Call notes that were written or changed in the window (late links, back-fill)."""

    async def leads(self, lead_ids: Iterable[int]) -> dict[int, LeadFacts]:
        """The leads that still exist, by id."""

    async def cards(
        self, collection: Literal["contacts", "companies"], ids: Iterable[int]
    ) -> dict[int, CardFacts]:
        """The contacts or companies that still exist, by id."""

    async def pipelines(self) -> list[PipelineFacts]:
        """All pipelines with their statuses."""

    async def lead_fields(self) -> list[FieldFacts]:
        """Custom fields of leads."""

    async def users(self) -> list[CrmUser]:
        """People of the account; empty when the token may not read them."""

    async def find_own_notes(
        self, collection: Cards, entity_id: int, marker: str
    ) -> dict[str, int]:
        """Our notes on a card whose text holds the marker: marker line -> note id."""

    async def add_note(self, collection: Cards, entity_id: int, text: str) -> int:
        """Write a text note; returns its id. Raises AnswerLostError when the outcome is unknown."""
