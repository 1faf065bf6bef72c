"""GET of the event log (amocrm.md 3)."""

from starlette.responses import Response

from medai.sandbox.amocrm import event_filters, paging
from medai.sandbox.amocrm.answers import nothing, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import SINGULAR, Row

_PLURAL = {word: kind for kind, word in SINGULAR.items()}
_TYPES = (
    "incoming_call", "outgoing_call", "lead_added", "lead_deleted", "lead_status_changed",
    "contact_added", "company_added", "entity_responsible_changed", "custom_field_value_changed",
    "common_note_added", "service_note_added", "attachment_note_added", "incoming_sms",
    "outgoing_sms",
)  # fmt: skip


def listing(context: Context) -> Response:
    """Events that meet the filters, newest first, at most 100 per page."""
    account, query = context.account, context.query
    asked = paging.events_page(context)
    visible_until = _visible_until(context)
    key = (visible_until, account.options.exclusive_edges, query.listing)
    found = account.events.matches.get(key, lambda: _find(context, visible_until))
    return paging.listing(context, "events", found, asked, lambda row: rendered(context, row))


def one(context: Context) -> Response:
    """One event, 204 when there is none."""
    row = context.account.events.get(context.params["event"])
    until = _visible_until(context)
    if row is None or (until is not None and row["created_at"] > until):
        return nothing()
    return written(rendered(context, row))


def types(context: Context) -> Response:
    """Keys and codes of event types."""
    lang = context.query.one("language_code") or "ru"
    rows = [{"key": key, "type": code, "lang": lang} for code, key in enumerate(_TYPES, 1)]
    body: Row = {"_total_items": len(rows), "_links": context.link(context.path)}
    return written(body | {"_embedded": {"events_types": rows}})


def rendered(context: Context, row: Row) -> Row:
    """The event with its links and its entity."""
    entity_id = row["entity_id"]
    kind = _PLURAL.get(row["entity_type"], "customers")
    entity: Row = {"id": entity_id, "_links": context.link(f"/{kind}/{entity_id}")}
    names = context.query.listed("with")
    if f"{row['entity_type']}_name" in names and kind in _PLURAL.values():
        card = context.account.cards[_PLURAL[row["entity_type"]]].get(entity_id)
        entity |= {"name": card.get("name", "")} if card else {}
    links = context.link(f"/events/{row['id']}")
    return {**row, "_links": links, "_embedded": {"entity": entity}}


def _visible_until(context: Context) -> float | None:
    delay = context.account.options.event_delay
    return None if delay is None else context.account.clock().timestamp() - delay.total_seconds()


def _find(context: Context, visible_until: float | None) -> list[Row]:
    exclusive = context.account.options.exclusive_edges
    within = context.query.bounds("filter", "created_at", exclusive=exclusive)
    tests = event_filters.tests(context.query)
    rows = context.account.events.newest_first(within, visible_until)
    found = [row for row in rows if all(test(row) for test in tests)]
    oldest_first = context.query.one("order", "created_at") == "asc"
    return found[::-1] if oldest_first else found
