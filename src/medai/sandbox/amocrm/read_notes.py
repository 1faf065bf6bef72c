"""GET of notes: over a type, of one card, or one by id (amocrm.md 4.1)."""

from collections.abc import Iterable

from starlette.responses import Response

from medai.sandbox.amocrm import paging
from medai.sandbox.amocrm.answers import nothing, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.notes import Notes
from medai.sandbox.amocrm.rows import RECORDINGS, Row


def of_type(context: Context) -> Response:
    """Notes of every card of the type; filters id, entity_id, note_type, updated_at."""
    return _listing(context, card_id=None)


def of_card(context: Context) -> Response:
    """Notes of one card; `filter[entity_id]` means nothing here."""
    return _listing(context, card_id=context.id)


def one(context: Context) -> Response:
    """One note, 204 when there is none or it belongs to another card."""
    notes = _notes(context)
    row = notes.get(int(context.params["note"]))
    if row is None or ("id" in context.params and row["entity_id"] != context.id):
        return nothing()
    return written(rendered(context, row))


def rendered(context: Context, row: Row) -> Row:
    """The note with its link and the real address of its recording."""
    params = row["params"]
    link = params.get("link") if isinstance(params, dict) else None
    if isinstance(link, str) and link.startswith(RECORDINGS):
        params = {**params, "link": f"{context.recordings}/{link.removeprefix(RECORDINGS)}"}
    path = f"/{context.kind}/{row['entity_id']}/notes/{row['id']}"
    return {**row, "params": params, "_links": context.link(path)}


def _listing(context: Context, card_id: int | None) -> Response:
    notes = _notes(context)
    asked = paging.page(context)
    key = (card_id, context.account.options.exclusive_edges, context.query.listing)
    found = notes.matches.get(key, lambda: _find(context, notes, card_id))
    return paging.listing(context, "notes", found, asked, lambda row: rendered(context, row))


def _notes(context: Context) -> Notes:
    notes = context.account.notes[context.kind]
    notes.release_due(context.account.clock().timestamp())
    return notes


def _find(context: Context, notes: Notes, card_id: int | None) -> list[Row]:
    query = context.query
    rows: Iterable[Row] = _candidates(context, notes, card_id)
    types = set(query.values("filter", "note_type"))
    if types:
        rows = (row for row in rows if row["note_type"] in types)
    exclusive = context.account.options.exclusive_edges
    within = query.bounds("filter", "updated_at", exclusive=exclusive)
    if within is not None:
        rows = (row for row in rows if row["updated_at"] in within)
    return _ordered(context, list(rows))


def _candidates(context: Context, notes: Notes, card_id: int | None) -> list[Row]:
    query = context.query
    # filter[id][from] behaves as an exact match (amocrm.md 4.1).
    ids = set(query.ints("filter", "id")) | set(query.ints("filter", "id", "from"))
    cards = set(query.ints("filter", "entity_id")) if card_id is None else {card_id}
    if ids:
        found = [row for row in map(notes.get, sorted(ids)) if row is not None]
        return [row for row in found if not cards or row["entity_id"] in cards]
    if cards:
        return [row for card in sorted(cards) for row in notes.of_card(card)]
    return notes.all()


def _ordered(context: Context, rows: list[Row]) -> list[Row]:
    field, descending = context.query.order(("updated_at", "id")) or ("id", False)
    return sorted(rows, key=lambda row: (int(row[field]), int(row["id"])), reverse=descending)
