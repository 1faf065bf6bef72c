"""POST and PATCH of notes (amocrm.md 4.3). Nothing is deduplicated."""

from typing import Any

from starlette.responses import Response

from medai.sandbox.amocrm.answers import ProblemError, validation, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import Row

TEXT_LIMIT = 20_000
_EVENTS = {
    "common": "common_note_added",
    "service_message": "service_note_added",
    "extended_service_message": "service_note_added",
    "message_cashier": "message_to_cashier_note_added",
    "geolocation": "geo_note_added",
    "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms",
    "attachment": "attachment_note_added",
    "call_in": "incoming_call",
    "call_out": "outgoing_call",
}
_WITHOUT_TEXT = {"attachment", "call_in", "call_out"}
_Error = tuple[str, str, str, str]


def post(context: Context) -> Response:
    """Create the notes of an array: all of them, or none with `validation-errors`."""
    items = [_numbered(context, place, item) for place, item in enumerate(context.items())]
    _check(context, items)
    return _answer(context, [_create(context, item) for item in items])


def patch(context: Context) -> Response:
    """Change the notes of an array: known ones are changed, unknown ones reported."""
    items = context.items()
    _check_texts([{**item, "request_id": str(place)} for place, item in enumerate(items)])
    known = [item for item in items if _is_known(context, item)]
    errors = {str(item.get("id")): "Note not found" for item in items if item not in known}
    if not known:
        raise ProblemError(400, "Notes not found", errors=errors)
    return _answer(context, [_change(context, item) for item in known], errors)


def patch_one(context: Context) -> Response:
    """Change one note of one card. 400 when it does not exist."""
    item = {**context.item(), "id": int(context.params["note"])}
    _check_texts([{**item, "request_id": "0"}])
    if not _is_known(context, item):
        raise ProblemError(400, "Note not found")
    return written(_change(context, item))


def _numbered(context: Context, place: int, item: Row) -> Row:
    entity = {"entity_id": context.id} if "id" in context.params else {}
    return {"request_id": str(place), **item, **entity}


def _check(context: Context, items: list[Row]) -> None:
    errors = [error for item in items for error in _entity_errors(context, item)]
    errors += [error for item in items for error in _text_errors(item, required=True)]
    if errors:
        raise validation(errors)


def _check_texts(items: list[Row]) -> None:
    errors = [error for item in items for error in _text_errors(item, required=False)]
    if errors:
        raise validation(errors)


def _entity_errors(context: Context, item: Row) -> list[_Error]:
    request_id, entity = str(item["request_id"]), item.get("entity_id")
    errors: list[_Error] = []
    if not isinstance(entity, int) or isinstance(entity, bool):
        errors.append((request_id, "InvalidType", "entity_id", "This value should be an integer."))
    elif context.account.cards[context.kind].get(entity) is None:
        errors.append((request_id, "NotFound", "entity_id", "Entity not found."))
    if item.get("note_type") not in _EVENTS:
        detail = "The value you selected is not a valid choice."
        errors.append((request_id, "NotSupportedChoice", "note_type", detail))
    return errors


def _text_errors(item: Row, *, required: bool) -> list[_Error]:
    request_id, params = str(item["request_id"]), item.get("params", None if required else {})
    if not isinstance(params, dict):
        return [(request_id, "InvalidType", "params", "This value should be an object.")]
    text = params.get("text")
    if text is None and (not required or item.get("note_type") in _WITHOUT_TEXT):
        return []
    if not isinstance(text, str) or not text:
        return [(request_id, "InvalidType", "params.text", "This value should be a string.")]
    if len(text) > TEXT_LIMIT:
        detail = f"This value is too long. It should have {TEXT_LIMIT} characters or less."
        return [(request_id, "TooLong", "params.text", detail)]
    return []


def _create(context: Context, item: Row) -> Row:
    account, author = context.account, item.get("created_by") or context.access.user_id
    fields: Row = {
        "entity_id": item["entity_id"],
        "created_by": author,
        "responsible_user_id": item.get("responsible_user_id") or author,
        "created_at": item.get("created_at") or account.now(),
        "note_type": item["note_type"],
        "params": item["params"],
    }
    row = account.add_note(context.kind, fields, _EVENTS[item["note_type"]])
    context.written.append((context.kind, row["entity_id"], row["id"]))
    return {**_reference(context, row), "request_id": str(item["request_id"])}


def _is_known(context: Context, item: Row) -> bool:
    note_id: Any = item.get("id")
    row = context.account.notes[context.kind].get(note_id) if isinstance(note_id, int) else None
    return row is not None and ("id" not in context.params or row["entity_id"] == context.id)


def _change(context: Context, item: Row) -> Row:
    account, notes = context.account, context.account.notes[context.kind]
    old = notes.get(item["id"]) or {}
    fields: Row = {"updated_by": context.access.user_id}
    fields["params"] = {**old["params"], **item.get("params", {})}
    fields["note_type"] = item.get("note_type", old["note_type"])
    row = notes.change(item["id"], account.now(), **fields)
    return {**_reference(context, row), "updated_at": row["updated_at"]}


def _reference(context: Context, row: Row) -> Row:
    path = f"/{context.kind}/{row['entity_id']}/notes/{row['id']}"
    return {"id": row["id"], "entity_id": row["entity_id"], "_links": context.link(path)}


def _answer(context: Context, notes: list[Row], errors: Row | None = None) -> Response:
    body: Row = {"_links": context.link(context.path), "_embedded": {"notes": notes}}
    return written(body | ({"errors": errors} if errors else {}))
