"""The amoCRM API v4 as typed async methods. It knows nothing of clinics or calls to analyse."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

import httpx2

from medai.errors import ProviderAnswerError
from medai.kit.clock import Clock, utc_now

from . import events, notes, setup
from .cards import CardCollection, Cards
from .created_leads import created_leads
from .events import EventPage
from .failures import PROVIDER
from .models import (
    Account,
    Company,
    Contact,
    CustomField,
    Event,
    Lead,
    Link,
    NewNote,
    Note,
    NoteCollection,
    Pipeline,
    User,
)
from .models.lenient import JsonObject, embedded
from .paging import are_asked, id_filter, in_batches
from .tokens import Tokens
from .transport import Sleep, Transport

MAX_BATCH = 250


class AmocrmClient:
    """One account. Methods raise the provider errors of medai.errors, with Russian messages.

    `base_url` may carry a path (the sandbox's does). `wait_turn` is awaited before each request:
    the limiter that all processes share. `batch_size` ids go into one request, 1-250.
    Reads are tried up to three times; writes are never repeated once they may have been sent.
    """

    def __init__(
        self,
        base_url: str,
        http: httpx2.AsyncClient,
        tokens: Tokens,
        wait_turn: Callable[[], Awaitable[object]],
        *,
        batch_size: int = 100,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not 1 <= batch_size <= MAX_BATCH:
            raise ValueError(f"batch_size must be 1-{MAX_BATCH}")
        self._transport = Transport(base_url, http, tokens, wait_turn, clock=clock, sleep=sleep)
        self._batch_size = batch_size
        self._cards = Cards(self._transport, batch_size)

    @property
    def filters_trusted(self) -> bool | None:
        """Whether `filter[id]` works on cards (amocrm.md 2.4): None unknown, False fallback."""
        return self._cards.filters_trusted

    def events(
        self, *, types: Sequence[str], start: datetime, end: datetime
    ) -> AsyncIterator[Event]:
        """Events of the types created in the window, each once, in no promised order.

        One query, plus one for each `custom_field_{id}_value_changed`: it cannot be mixed.
        """
        return events.of_types(self._transport, types, start, end)

    async def event_page(
        self,
        types: Sequence[str],
        start: datetime | None,
        end: datetime | None,
        *,
        number: int,
        size: int,
    ) -> EventPage:
        """One page of the event log, newest first; see `events.page`."""
        return await events.page(self._transport, types, start, end, number=number, size=size)

    def notes(self, collection: NoteCollection, ids: Iterable[int]) -> AsyncIterator[Note]:
        """Notes of one collection by id, in batches; missing ones are left out."""
        return notes.by_ids(self._transport, collection, ids, self._batch_size)

    def call_notes(
        self, collection: NoteCollection, *, updated_from: datetime, updated_to: datetime
    ) -> AsyncIterator[Note]:
        """Call notes changed in the window: finds calls and late links without any events."""
        return notes.calls(self._transport, collection, updated_from, updated_to)

    async def entity_notes(
        self, collection: NoteCollection, entity_id: int, *, note_type: str, limit: int = 50
    ) -> list[Note]:
        """The newest notes of a type on one card (to find our own after a lost answer)."""
        return await notes.of_card(self._transport, collection, entity_id, note_type, limit)

    async def card_notes(
        self, collection: NoteCollection, card_ids: Sequence[int], *, at_most: int
    ) -> list[Note]:
        """Notes of every type on some cards, newest first; `at_most` bounds the reading."""
        return await notes.of_cards(
            self._transport, collection, card_ids, self._batch_size, at_most
        )

    async def add_notes(self, collection: NoteCollection, new: Sequence[NewNote]) -> list[int]:
        """Write common notes; their ids in the order given. See `notes.add` for failures."""
        return await notes.add(self._transport, collection, new)

    async def update_note(
        self, collection: NoteCollection, entity_id: int, note_id: int, text: str
    ) -> None:
        """Replace the text of a common note."""
        await notes.change(self._transport, collection, entity_id, note_id, text)

    async def leads(self, ids: Iterable[int]) -> AsyncIterator[Lead]:
        """Leads with the ids of their contacts; missing ones are left out."""
        async for row in self._cards.by_ids("leads", ids, "contacts"):
            if lead := Lead.parse(row):
                yield lead

    async def leads_created(self, start: datetime, end: datetime) -> list[Lead]:
        """Leads created at `start <= t < end`, newest first; without ids of contacts."""
        return await created_leads(self._transport, start, end)

    async def contacts(self, ids: Iterable[int]) -> AsyncIterator[Contact]:
        """Contacts with the ids of their leads; missing ones are left out."""
        async for row in self._cards.by_ids("contacts", ids, "leads"):
            if contact := Contact.parse(row):
                yield contact

    async def companies(self, ids: Iterable[int]) -> AsyncIterator[Company]:
        """Companies with the ids of their leads and contacts; missing ones are left out."""
        async for row in self._cards.by_ids("companies", ids, "leads,contacts"):
            if company := Company.parse(row):
                yield company

    async def links(self, collection: CardCollection, ids: Iterable[int]) -> AsyncIterator[Link]:
        """All relations of the cards; needs no paid option (amocrm.md 6.3)."""
        async for rows in in_batches(ids, self._batch_size, partial(self._links, collection)):
            for row in rows:
                if link := Link.parse(row):
                    yield link

    async def pipelines(self) -> list[Pipeline]:
        """All pipelines with their statuses."""
        return await setup.pipelines(self._transport)

    async def lead_custom_fields(self) -> list[CustomField]:
        """Custom fields of leads with the choices of list fields; 1,250 at most."""
        return await setup.lead_custom_fields(self._transport)

    async def users(self) -> list[User]:
        """All users. Raises ProviderStoppedError when the token is not an administrator's."""
        return await setup.users(self._transport)

    async def account(self) -> Account:
        """The account, its time zone and filter option; the cheapest check of a connection."""
        account = await setup.account(self._transport)
        self._cards.learn(account.is_api_filter_enabled)
        return account

    async def _links(self, collection: CardCollection, ids: Sequence[int]) -> Sequence[JsonObject]:
        params = id_filter("entity_id", ids)
        body = await self._transport.get(f"{collection}/links", params, splittable=len(ids) > 1)
        rows = embedded(body or {}, "links")
        if not are_asked(rows, ids, "entity_id"):
            raise ProviderAnswerError(PROVIDER, "amoCRM вернула чужие связи карточек: повторите")
        return rows
