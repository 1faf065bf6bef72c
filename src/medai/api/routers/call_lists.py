"""The body of calls/list: serialised once, shared by equal requests, streamed when long."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from zoneinfo import ZoneInfo

from fastapi.responses import Response, StreamingResponse
from pydantic_core import to_json

from medai.api.joined import Joined
from medai.api.routers.presenters import call_document
from medai.calls.listing import CallListing, CallQuery
from medai.calls.models import Call
from medai.clinics.repository import ClinicRepository
from medai.kit.days import zone

_JSON = "application/json"
_HEAD = b'{"success":true,"data":{"calls":['
_DEFAULT_ZONE = "Europe/Moscow"
_READ_AT_ONCE = 2
"""Short lists that are put together at a time: more would take memory and no less time."""


class CallLists:
    """Answers of calls/list. Raises StoreError before the first byte is sent."""

    def __init__(self, listing: CallListing, clinics: ClinicRepository) -> None:
        self._listing = listing
        self._clinics = clinics
        self._joined: Joined[bytes | None] = Joined()
        self._turns = asyncio.Semaphore(_READ_AT_ONCE)

    async def answer(self, query: CallQuery) -> Response:
        """The whole list. What fits into one page is read once for everybody who asks meanwhile;
        a longer list is read by each at the pace of its client."""
        body = await self._joined.ask(query, lambda: self._short(query))
        if body is not None:
            return Response(body, media_type=_JSON)
        parts = self._parts(query)
        first = await anext(parts)
        return StreamingResponse(_joined(first, parts), media_type=_JSON)

    async def _short(self, query: CallQuery) -> bytes | None:
        """The whole body, None for a list of several pages."""
        async with self._turns, aclosing(self._parts(query)) as parts:
            first, *others = [part async for part in _at_most(parts, _PARTS_OF_ONE_PAGE)]
        return None if len(others) == _PARTS_OF_ONE_PAGE - 1 else b"".join((first, *others))

    async def _parts(self, query: CallQuery) -> AsyncGenerator[bytes, None]:
        """One part a page, and one for the end."""
        zones: dict[str, ZoneInfo] = {}
        count, head = 0, _HEAD
        async with aclosing(self._listing.pages(query)) as pages:
            async for page in pages:
                for client_id in {call.client_id for call in page} - zones.keys():
                    zones[client_id] = await self._zone(client_id)
                yield head + _rendered(page, zones)
                head = b","
                count += len(page)
        total = await self._listing.total(query) if query.is_cut else count
        yield (head if head is _HEAD else b"") + _end(count, total)

    async def _zone(self, client_id: str) -> ZoneInfo:
        clinic = await self._clinics.by_client_id(client_id)
        return zone(clinic.timezone if clinic else _DEFAULT_ZONE)


_PARTS_OF_ONE_PAGE = 3
"""A page and the end are two; the third says that there is more."""


def _rendered(page: list[Call], zones: dict[str, ZoneInfo]) -> bytes:
    # Values of known types only: one pass of the serialiser, no model in between.
    return to_json([call_document(call, zones[call.client_id]) for call in page])[1:-1]


def _end(count: int, total: int) -> bytes:
    message = to_json(f"Найдено звонков: {count}")
    return b'],"total":%d},"message":%b}' % (total, message)


async def _at_most(parts: AsyncIterator[bytes], number: int) -> AsyncIterator[bytes]:
    async for part in parts:
        yield part
        number -= 1
        if not number:
            return


async def _joined(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in others:
        yield part
