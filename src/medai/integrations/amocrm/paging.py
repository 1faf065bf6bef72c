"""Long lists in pages and long id lists in batches (amocrm.md 2.3-2.4)."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence

import httpx2

from medai.errors import ProviderAnswerError, ProviderUnavailableError

from .failures import PROVIDER
from .models.lenient import JsonObject, embedded, integer, mapping, text
from .transport import Params, Transport

MAX_PAGES = 2000
"""Half a million rows: beyond it the CRM itself fails (amocrm.md 2.3), so it is a loop."""

_SMALLEST_PAGE = 10

Rows = Sequence[JsonObject]


async def rows_in_pages(
    transport: Transport, path: str, name: str, params: Params, *, limit: int
) -> AsyncGenerator[JsonObject, None]:
    """Rows of `_embedded.<name>` over all pages, each id once.

    Ends on 204, an empty page, a page without `next`, or a repeated page. The next page is
    `page + 1` on our own host: an answer must not choose where the token goes. A 504 halves the
    page. Raises ProviderAnswerError when the list does not end.
    """
    page, taken = 1, 0
    seen: set[str] = set()
    previous: tuple[JsonObject, ...] = ()
    while page <= MAX_PAGES:
        asked = [*params, ("limit", str(limit)), ("page", str(page))]
        try:
            body = await transport.get(path, asked, splittable=limit > _SMALLEST_PAGE)
        except ProviderUnavailableError as error:
            if not _is_too_much(error) or limit <= _SMALLEST_PAGE:
                raise
            limit = max(limit // 2, _SMALLEST_PAGE)
            page = taken // limit + 1
            continue
        rows = embedded(body or {}, name)
        if not rows or rows == previous:
            return
        for row in rows:
            if (key := text(row.get("id"))) not in seen:
                seen.add(key)
                yield row
        if not mapping((body or {}).get("_links")).get("next"):
            return
        page, taken, previous = page + 1, taken + len(rows), rows
    raise ProviderAnswerError(PROVIDER, "amoCRM отдаёт список без конца: сообщите в её поддержку")


async def in_batches(
    ids: Iterable[int], size: int, fetch: Callable[[Sequence[int]], Awaitable[Rows]]
) -> AsyncIterator[Rows]:
    """Rows of `fetch` for batches of distinct ids; a batch that ends in 504 is halved."""
    distinct = list(dict.fromkeys(ids))
    batches = deque(distinct[start : start + size] for start in range(0, len(distinct), size))
    while batches:
        batch = batches.popleft()
        try:
            rows = await fetch(batch)
        except ProviderUnavailableError as error:
            if not _is_too_much(error) or len(batch) == 1:
                raise
            middle = len(batch) // 2
            batches.extendleft((batch[middle:], batch[:middle]))
        else:
            yield rows


def id_filter(name: str, ids: Sequence[int]) -> list[tuple[str, str]]:
    """`filter[<name>][]=…` for each id."""
    return [(f"filter[{name}][]", str(item)) for item in ids]


def are_asked(rows: Iterable[JsonObject], ids: Sequence[int], key: str = "id") -> bool:
    """Whether every row is about an id that was asked for.

    With `limit` = number of ids a list whose filter was ignored cannot pass unless it holds all
    that was asked: its first n rows would have to be exactly the n asked ones.
    """
    asked = set(ids)
    return all(integer(row.get(key)) in asked for row in rows)


def _is_too_much(error: ProviderUnavailableError) -> bool:
    return error.status == httpx2.codes.GATEWAY_TIMEOUT
