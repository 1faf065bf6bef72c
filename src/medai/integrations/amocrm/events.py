"""Reading the event log (amocrm.md 3)."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from .models import Event
from .models.lenient import JsonObject, embedded, mapping
from .paging import rows_in_pages
from .transport import Transport
from .windows import window

PAGE = 100
"""Asking for more does not clamp: 250 silently returned the default 50 (amocrm.md 2.3)."""

_ONE_FIELD = re.compile(r"custom_field_[0-9]+_value_changed")


@dataclass(frozen=True, slots=True)
class EventPage:
    """One page of the log, newest first. `links` is the envelope's `_links` as it came."""

    events: tuple[Event, ...]
    links: JsonObject

    @property
    def has_next(self) -> bool:
        """Whether the CRM names a further page; it may turn out empty (amocrm.md 2.3)."""
        return bool(self.events) and bool(self.links.get("next"))


async def page(
    transport: Transport,
    types: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    *,
    number: int,
    size: int,
) -> EventPage:
    """Page `number` (from 1) of at most `size` (1-100) events; no types means all."""
    params = [("filter[type][]", kind) for kind in types]
    params += [*window("created_at", start, end), ("order[created_at]", "desc")]
    params += [("limit", str(size)), ("page", str(number))]
    body = await transport.get("events", params) or {}
    found = (Event.parse(row) for row in embedded(body, "events"))
    return EventPage(tuple(event for event in found if event), mapping(body.get("_links")))


async def of_types(
    transport: Transport, types: Sequence[str], start: datetime, end: datetime
) -> AsyncIterator[Event]:
    """Events of the types created in the window, each once; no types means all."""
    seen: set[str] = set()
    for asked in _queries(types):
        params = [("filter[type][]", kind) for kind in asked]
        params += [*window("created_at", start, end), ("order[created_at]", "asc")]
        async for row in rows_in_pages(transport, "events", "events", params, limit=PAGE):
            event = Event.parse(row)
            if event is not None and event.id not in seen:
                seen.add(event.id)
                yield event


def _queries(types: Sequence[str]) -> list[list[str]]:
    """The types of each request: changes of one field cannot be mixed with others (3.2)."""
    alone = [kind for kind in types if _ONE_FIELD.fullmatch(kind)]
    together = [kind for kind in types if kind not in alone]
    return ([together] if together or not alone else []) + [[kind] for kind in alone]
