"""POST /api/v4/calls: the platform chooses the card for a call (amocrm.md 5)."""

from starlette.responses import Response

from medai.sandbox.amocrm.account import Account
from medai.sandbox.amocrm.answers import PROBLEM, written
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.rows import LOST, SINGULAR, WON, Row
from medai.sandbox.world.models import CardType

_SIGNIFICANT = 10
"""The last digits of a phone that are compared."""
_TYPES = {"inbound": ("call_in", "incoming_call"), "outbound": ("call_out", "outgoing_call")}
_PARAMS = ("uniq", "duration", "source", "link", "phone", "call_responsible", "call_status",
           "call_result")  # fmt: skip


def post(context: Context) -> Response:
    """Place every call of the array. 400 when none could be placed."""
    calls: list[Row] = []
    errors: list[Row] = []
    for place, item in enumerate(context.items()):
        item = {"request_id": str(place), **item}
        problem = _problem(item)
        card = None if problem else find_card(context.account, str(item["phone"]))
        if card is None:
            errors.append(_error(item, problem or "Entity not found"))
        else:
            calls.append(_create(context, item, *card))
    if not calls:
        return _none_placed(errors)
    body: Row = {"_total_items": len(calls), "errors": errors, "_embedded": {"calls": calls}}
    return written(body)


def _none_placed(errors: list[Row]) -> Response:
    body: Row = {"title": "Bad Request", "type": "https://httpstatus.es/400", "status": 400}
    return written(body | {"errors": errors}, 400, PROBLEM)


def find_card(account: Account, phone: str) -> tuple[CardType, int] | None:
    """The card that gets the call: the only active lead of the person, else the person.

    None when nobody has the phone (its last ten digits).
    """
    sought = _digits(phone)
    for kind in ("contacts", "companies"):
        for row in account.cards[kind].all():
            if sought and sought in _phones(row):
                leads = _active_leads(account, row)
                return ("leads", leads[0]) if len(leads) == 1 else (kind, int(row["id"]))
    return None


def _active_leads(account: Account, owner: Row) -> list[int]:
    embedded = owner.get("_embedded", {})
    if embedded.get("customers"):
        return []
    leads = [account.cards["leads"].get(item["id"]) for item in embedded.get("leads", ())]
    return [lead["id"] for lead in leads if lead and lead.get("status_id") not in (WON, LOST)]


def _phones(row: Row) -> set[str]:
    fields = row.get("custom_fields_values") or []
    phones = [field.get("values", ()) for field in fields if field.get("field_code") == "PHONE"]
    return {_digits(str(value.get("value"))) for values in phones for value in values}


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdigit())[-_SIGNIFICANT:]


def _problem(item: Row) -> str | None:
    missing = [name for name in ("direction", "duration", "source", "phone") if name not in item]
    if missing:
        return f"Field {missing[0]} is required"
    if item["direction"] not in _TYPES:
        return "Field direction must be inbound or outbound"
    return None


def _create(context: Context, item: Row, kind: CardType, card_id: int) -> Row:
    account = context.account
    note_type, event = _TYPES[item["direction"]]
    responsible = item.get("call_responsible")
    author = responsible if isinstance(responsible, int) else item.get("created_by", 0)
    fields: Row = {
        "entity_id": card_id,
        "created_by": author,
        "responsible_user_id": item.get("responsible_user_id", author),
        "created_at": item.get("created_at") or account.now(),
        "note_type": note_type,
        "params": {key: item[key] for key in _PARAMS if key in item},
    }
    note = account.add_note(kind, fields, event)
    entity = {"id": card_id, "_links": context.link(f"/{kind}/{card_id}")}
    return {
        "id": note["id"], "entity_id": card_id, "entity_type": SINGULAR[kind],
        "account_id": account.clinic.account_id, "request_id": str(item["request_id"]),
        "_embedded": {"entity": entity},
    }  # fmt: skip


def _error(item: Row, detail: str) -> Row:
    return {"request_id": str(item["request_id"]), "status": 400, "title": "Bad Request",
            "detail": detail}  # fmt: skip
