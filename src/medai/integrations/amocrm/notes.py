"""Reading and writing notes (amocrm.md 4)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Any

from medai.errors import AnswerLostError, ProviderAnswerError

from .failures import PROVIDER
from .models.lenient import JsonObject, embedded, integer, text
from .models.notes import CALL_NOTE_TYPES, NewNote, Note, NoteCollection
from .paging import are_asked, id_filter, in_batches, rows_in_pages
from .transport import Transport
from .windows import window

PAGE = 250
WRITE_BATCH = 50
"""The CRM takes 250 but recommends 50 (amocrm.md 2.5)."""


async def by_ids(
    transport: Transport, collection: NoteCollection, ids: Iterable[int], size: int
) -> AsyncIterator[Note]:
    """The notes that exist. Raises ProviderAnswerError when others are returned."""
    async for rows in in_batches(ids, size, partial(_batch, transport, collection)):
        for row in rows:
            if note := Note.parse(row, collection):
                yield note


async def calls(
    transport: Transport, collection: NoteCollection, start: datetime, end: datetime
) -> AsyncIterator[Note]:
    """Call notes changed in the window, oldest change first."""
    params = [("filter[note_type][]", kind) for kind in CALL_NOTE_TYPES]
    params += [*window("updated_at", start, end), ("order[updated_at]", "asc")]
    path = f"{collection}/notes"
    async for row in rows_in_pages(transport, path, "notes", params, limit=PAGE):
        if (note := Note.parse(row, collection)) and note.is_call:
            yield note


async def of_card(
    transport: Transport, collection: NoteCollection, entity_id: int, note_type: str, limit: int
) -> list[Note]:
    """The latest notes of one type on one card, newest first, one page."""
    params = [("filter[note_type]", note_type), ("order[id]", "desc"), ("limit", str(limit))]
    body = await transport.get(f"{collection}/{entity_id}/notes", params)
    found = (Note.parse(row, collection) for row in embedded(body or {}, "notes"))
    return [note for note in found if note is not None and note.type == note_type]


async def of_cards(
    transport: Transport,
    collection: NoteCollection,
    card_ids: Sequence[int],
    size: int,
    at_most: int,
) -> list[Note]:
    """Notes of all types on the cards, of each batch of cards the newest first."""
    found: list[Note] = []
    for start in range(0, len(card_ids), size):
        ids = card_ids[start : start + size]
        params = [*id_filter("entity_id", ids), ("order[id]", "desc")]
        pages = rows_in_pages(transport, f"{collection}/notes", "notes", params, limit=PAGE)
        async with aclosing(pages) as rows:
            async for row in rows:
                if not are_asked([row], ids, "entity_id"):
                    raise _foreign_notes()
                if note := Note.parse(row, collection):
                    found.append(note)
                if len(found) >= at_most:
                    return found
    return found


async def add(
    transport: Transport, collection: NoteCollection, notes: Sequence[NewNote]
) -> list[int]:
    """Write common notes; ids in the order of `notes`.

    Raises AnswerLostError when notes may have been written without their ids being known. If a
    later batch of 50 fails, earlier ones stay written: look them up by their marker.
    """
    written: list[int] = []
    for start in range(0, len(notes), WRITE_BATCH):
        part = notes[start : start + WRITE_BATCH]
        items = [_item(note, number) for number, note in enumerate(part)]
        body = await transport.write("POST", f"{collection}/notes", items)
        written += _ids(part, embedded(body or {}, "notes"))
    return written


async def change(
    transport: Transport, collection: NoteCollection, entity_id: int, note_id: int, new_text: str
) -> None:
    """Replace the text of a common note. Id and card are repeated in the body: clients report
    them required (amocrm.md 4.3)."""
    body = {
        "id": note_id,
        "entity_id": entity_id,
        "note_type": "common",
        "params": {"text": new_text},
    }
    await transport.write("PATCH", f"{collection}/{entity_id}/notes/{note_id}", body)


async def _batch(
    transport: Transport, collection: NoteCollection, ids: Sequence[int]
) -> Sequence[JsonObject]:
    params = [*id_filter("id", ids), ("limit", str(len(ids)))]
    body = await transport.get(f"{collection}/notes", params, splittable=len(ids) > 1)
    rows = embedded(body or {}, "notes")
    if not are_asked(rows, ids):
        raise _foreign_notes()
    return rows


def _foreign_notes() -> ProviderAnswerError:
    return ProviderAnswerError(PROVIDER, "amoCRM вернула чужие примечания: сообщите в её поддержку")


def _item(note: NewNote, number: int) -> dict[str, Any]:
    item: dict[str, Any] = {
        "entity_id": note.entity_id,
        "note_type": "common",
        "params": {"text": note.text},
        "request_id": str(number),
        # Ours must not start the clinic's automations (amocrm.md 4.3; the default is true).
        "is_need_to_trigger_digital_pipeline": False,
    }
    if note.created_at is not None:
        item["created_at"] = int(note.created_at.timestamp())
    return item


def _ids(notes: Sequence[NewNote], rows: Sequence[JsonObject]) -> list[int]:
    """Ids by the echoed request_id: the order of an answer is not promised (amocrm.md 2.5)."""
    echoed = {text(row.get("request_id")): row for row in rows}
    found: list[int] = []
    for number, note in enumerate(notes):
        row = echoed.get(str(number), {})
        note_id = integer(row.get("id"))
        if note_id is None or integer(row.get("entity_id")) not in (note.entity_id, None):
            raise AnswerLostError(
                PROVIDER, "amoCRM не назвала номера записанных примечаний: они ищутся по метке"
            )
        found.append(note_id)
    return found
