"""Cards by id, with or without the paid filter option (amocrm.md 2.4 and 12.4)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from typing import Literal

import httpx2
import structlog

from medai.errors import ProviderRejectedError

from .models.lenient import JsonObject, embedded
from .paging import are_asked, id_filter, in_batches
from .transport import Transport

logger = structlog.get_logger(__name__)

CardCollection = Literal["leads", "contacts", "companies"]


class Cards:
    """Reads cards in batches while the account honours `filter[id]`, else one by one.

    `filters_trusted`: None not known yet, True proven by an answer, False use the fallback.
    """

    def __init__(self, transport: Transport, batch_size: int) -> None:
        self._transport = transport
        self._batch_size = batch_size
        self.filters_trusted: bool | None = None

    def learn(self, is_api_filter_enabled: bool | None) -> None:
        """Take over what the account says; an option bought later is tried anew."""
        if is_api_filter_enabled is False:
            self.filters_trusted = False
        elif is_api_filter_enabled and self.filters_trusted is False:
            self.filters_trusted = None

    async def by_ids(
        self, collection: CardCollection, ids: Iterable[int], relation: str
    ) -> AsyncIterator[JsonObject]:
        """Rows of the cards that exist, with the ids of their `relation` cards embedded."""
        fetch = partial(self._batch, collection, relation)
        async for rows in in_batches(ids, self._batch_size, fetch):
            for row in rows:
                yield row

    async def _batch(
        self, collection: CardCollection, relation: str, ids: Sequence[int]
    ) -> Sequence[JsonObject]:
        if self.filters_trusted is not False:
            rows = await self._filtered(collection, relation, ids)
            if rows is not None:
                return rows
        found = [await self._single(collection, relation, item) for item in ids]
        return [row for row in found if row is not None]

    async def _filtered(
        self, collection: CardCollection, relation: str, ids: Sequence[int]
    ) -> Sequence[JsonObject] | None:
        """The rows, or None after finding out that the account does not filter."""
        # `next` is never followed: an ignored filter would walk through the whole base.
        params = [("with", relation), *id_filter("id", ids), ("limit", str(len(ids)))]
        try:
            body = await self._transport.get(collection, params, splittable=len(ids) > 1)
        except ProviderRejectedError as error:
            if error.status != httpx2.codes.BAD_REQUEST or self.filters_trusted:
                raise
            self._distrust(collection)
            return None
        rows = embedded(body or {}, collection)
        if not are_asked(rows, ids):
            self._distrust(collection)
            return None
        self.filters_trusted = True
        return rows

    def _distrust(self, collection: CardCollection) -> None:
        logger.warning("amocrm_filters_off", collection=collection)
        self.filters_trusted = False

    async def _single(
        self, collection: CardCollection, relation: str, card_id: int
    ) -> JsonObject | None:
        try:
            row = await self._transport.get(f"{collection}/{card_id}", [("with", relation)])
        except ProviderRejectedError as error:
            if error.status != httpx2.codes.NOT_FOUND:
                raise
            return None
        return row if row is not None and are_asked([row], [card_id]) else None
