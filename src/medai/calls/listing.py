"""Calls in the order of time for those who read many: in pages, so that memory stays flat."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from medai.calls.models import Call
from medai.calls.repository import CallRepository
from medai.infra.documents import Range, Where
from medai.kit.days import DayRange

PAGE = 1_500
"""Calls in memory at once: a busy clinic's day is one page."""
_KEPT: Where = {"skip_reason": None}


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Calls of a clinic (None: of all) and of days (None: of all); skipped ones are left out.

    `limit` and `offset` count calls in order of business day and time.
    """

    client_id: str | None
    days: DayRange | None
    limit: int | None = None
    offset: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether some matching calls may be left out."""
        return self.limit is not None or self.offset > 0


@dataclass(frozen=True, slots=True)
class _Span:
    """Days that are read together; `size` None: one day that nobody has counted."""

    days: DayRange
    size: int | None


class CallListing:
    """Reads calls page by page. No connection is held between two pages. Raises StoreError."""

    def __init__(self, calls: CallRepository) -> None:
        self._calls = calls

    async def total(self, query: CallQuery) -> int:
        """How many calls match, whatever the limit."""
        return sum((await self._sizes(query)).values())

    async def pages(self, query: CallQuery) -> AsyncGenerator[list[Call], None]:
        """The matching calls, at most PAGE of them at a time (a little more while calls come)."""
        skipped, left = query.offset, query.limit
        for span in await self._spans(query):
            if span.size is not None and span.size <= skipped:
                skipped -= span.size
                continue
            async for page in self._read(query.client_id, span):
                wanted = page[skipped:][:left]
                skipped = max(0, skipped - len(page))
                if wanted:
                    yield wanted
                if left is not None and (left := left - len(wanted)) <= 0:
                    return

    async def _spans(self, query: CallQuery) -> list[_Span]:
        if query.days and query.days.first == query.days.last:
            return [_Span(query.days, None)]
        return list(_grouped(sorted((await self._sizes(query)).items())))

    async def _sizes(self, query: CallQuery) -> dict[date, int]:
        found = await self._calls.count_by("business_day", query.client_id, query.days, _KEPT)
        return {date.fromisoformat(day): size for day, size in found.items()}

    async def _read(self, client_id: str | None, span: _Span) -> AsyncIterator[list[Call]]:
        if span.size is not None and span.size <= PAGE:
            all_of_them = self._calls.of_days(client_id, span.days, where=_KEPT)
            yield [call async for call in all_of_them]
            return
        since: Where = {}
        ties: set[str] = set()
        while True:
            # Calls of the last moment are read again and left out: they have no other order.
            most = PAGE + len(ties)
            where = {**_KEPT, **since}
            read = self._calls.of_days(client_id, span.days, where=where, limit=most)
            found = [call async for call in read]
            yield [call for call in found if call.id not in ties]
            if len(found) < most:
                return
            last = found[-1].started_at
            since = {"started_at": Range(at_least=last)}
            ties = {call.id for call in found if call.started_at == last}


def _grouped(sizes: Iterable[tuple[date, int]]) -> Iterator[_Span]:
    """Neighbouring days together as long as they fit into a page; a larger day alone."""
    days: list[date] = []
    total = 0
    for day, size in sizes:
        if days and total + size > PAGE:
            yield _Span(DayRange(days[0], days[-1]), total)
            days, total = [], 0
        days.append(day)
        total += size
    if days:
        yield _Span(DayRange(days[0], days[-1]), total)
