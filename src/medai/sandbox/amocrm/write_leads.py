"""PATCH of leads: moving along pipelines, closing, changing fields (amocrm.md 6.1)."""

from collections.abc import Iterator

from starlette.responses import Response

from medai.sandbox.amocrm.account import Account
from medai.sandbox.amocrm.answers import ProblemError, validation, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import LOST, WON, Row

_PLAIN = ("name", "price", "loss_reason_id")


def patch(context: Context) -> Response:
    """Change the leads of an array: known ones are changed, unknown ones reported."""
    items = context.items()
    cards = context.account.cards["leads"]
    known = [item for item in items if isinstance(item.get("id"), int) and cards.get(item["id"])]
    errors = {str(item.get("id")): "Lead not found" for item in items if item not in known}
    if not known:
        raise ProblemError(400, "Leads not found", errors=errors)
    for place, item in enumerate(known):
        _check_status(context.account, item, str(place))
    leads = [_change(context, item) for item in known]
    body: Row = {"_links": context.link("/leads"), "_embedded": {"leads": leads}}
    return written(body | ({"errors": errors} if errors else {}))


def patch_one(context: Context) -> Response:
    """Change one lead. 400 when it does not exist."""
    item = {**context.item(), "id": context.id}
    if context.account.cards["leads"].get(context.id) is None:
        raise ProblemError(400, "Lead not found")
    _check_status(context.account, item, "0")
    return written(_change(context, item))


def _check_status(account: Account, item: Row, request_id: str) -> None:
    lead = account.cards["leads"].get(item["id"]) or {}
    pipeline = item.get("pipeline_id", lead.get("pipeline_id"))
    if "status_id" in item and item["status_id"] not in _statuses(account, pipeline):
        detail = "The value you selected is not a valid choice."
        raise validation([(request_id, "NotSupportedChoice", "status_id", detail)])


def _statuses(account: Account, pipeline_id: object) -> set[int]:
    rows: list[Row] = [dict(row) for row in account.clinic.pipelines]
    found = [row["_embedded"]["statuses"] for row in rows if row["id"] == pipeline_id]
    return {status["id"] for statuses in found for status in statuses} | {WON, LOST}


def _change(context: Context, item: Row) -> Row:
    account, author = context.account, context.access.user_id
    old = account.cards["leads"].get(item["id"]) or {}
    now = max(account.now(), int(old.get("updated_at") or 0))
    new = {**old, **{key: item[key] for key in _PLAIN if key in item}}
    new |= _moved(old, item, now) | {"updated_at": now, "updated_by": author}
    if item.get("custom_fields_values"):
        new["custom_fields_values"] = _fields(old, item["custom_fields_values"])
    account.cards["leads"].put(new)
    for kind, after, before in _happened(old, new):
        account.add_event(kind, "leads", item["id"], after, before, created_by=author)
    return {"id": item["id"], "updated_at": now, "_links": context.link(f"/leads/{item['id']}")}


def _moved(old: Row, item: Row, now: int) -> Row:
    status = item.get("status_id", old.get("status_id"))
    closed_at = (old.get("closed_at") or now) if status in (WON, LOST) else None
    return {
        "status_id": status,
        "pipeline_id": item.get("pipeline_id", old.get("pipeline_id")),
        "responsible_user_id": item.get("responsible_user_id", old.get("responsible_user_id")),
        "closed_at": closed_at,
    }


def _fields(old: Row, changed: list[Row]) -> list[Row]:
    fields = {field["field_id"]: field for field in old.get("custom_fields_values") or []}
    for field in changed:
        fields[field["field_id"]] = {**fields.get(field["field_id"], {}), **field}
    return list(fields.values())


def _happened(old: Row, new: Row) -> Iterator[tuple[str, list[Row], list[Row]]]:
    if (old.get("status_id"), old.get("pipeline_id")) != (new["status_id"], new["pipeline_id"]):
        yield "lead_status_changed", _status(new), _status(old)
    if old.get("responsible_user_id") != new["responsible_user_id"]:
        yield "entity_responsible_changed", _responsible(new), _responsible(old)
    before = {field["field_id"]: field for field in old.get("custom_fields_values") or []}
    for field in new.get("custom_fields_values") or []:
        earlier = before.get(field["field_id"], {})
        if earlier.get("values") != field.get("values"):
            kind = f"custom_field_{field['field_id']}_value_changed"
            yield kind, _values(field), _values({**field, "values": earlier.get("values", [])})


def _status(lead: Row) -> list[Row]:
    return [{"lead_status": {"id": lead.get("status_id"), "pipeline_id": lead.get("pipeline_id")}}]


def _responsible(lead: Row) -> list[Row]:
    return [{"responsible_user": {"id": lead.get("responsible_user_id")}}]


def _values(field: Row) -> list[Row]:
    kept = {"field_id": field["field_id"], "field_type": 1}
    return [
        {"custom_field_value": {**kept, "enum_id": v.get("enum_id"), "text": v.get("value")}}
        for v in field.get("values", ())
    ]
