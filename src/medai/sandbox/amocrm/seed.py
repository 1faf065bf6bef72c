"""The rows of an account as the world's data gives them."""

from collections.abc import Iterator

from medai.sandbox.amocrm.rows import RECORDINGS, SINGULAR, Row
from medai.sandbox.world.models import CardType, SimCall, SimClinic, SimEvent

_TALKED, _NO_ANSWER = 4, 6
_TYPES = {"inbound": ("call_in", "incoming_call"), "outbound": ("call_out", "outgoing_call")}


def call_notes(clinic: SimClinic, collection: CardType) -> Iterator[Row]:
    """Call notes on the cards of one collection (amocrm.md 4.1)."""
    for call in clinic.calls:
        if call.collection == collection:
            yield _note(clinic, call)


def events(clinic: SimClinic) -> Iterator[Row]:
    """Call events and the others, in no order."""
    for call in clinic.calls:
        yield _call_event(clinic, call)
    for event in clinic.events:
        yield _event(clinic, event)


def _note(clinic: SimClinic, call: SimCall) -> Row:
    created_at = int(call.at.timestamp())
    return {
        "id": call.note_id,
        "entity_id": call.entity_id,
        "created_by": call.responsible_user_id,
        "updated_by": call.responsible_user_id,
        "created_at": created_at,
        "updated_at": created_at,
        "responsible_user_id": call.responsible_user_id,
        "group_id": 0,
        "note_type": _TYPES[call.direction][0],
        "params": _params(call),
        "account_id": clinic.account_id,
    }


def _params(call: SimCall) -> Row:
    uniq = {} if call.uniq is None else {"uniq": call.uniq}
    return {
        **uniq,
        "duration": call.duration,
        "source": "pbx",
        "link": f"{RECORDINGS}{call.recording}" if call.recording else call.link,
        "phone": call.phone,
        "call_responsible": call.responsible_user_id,
        "call_status": _TALKED if call.duration else _NO_ANSWER,
        "call_result": "",
    }


def _call_event(clinic: SimClinic, call: SimCall) -> Row:
    return {
        "id": call.event_id,
        "type": _TYPES[call.direction][1],
        "entity_id": call.entity_id,
        "entity_type": SINGULAR[call.collection],
        "created_by": call.responsible_user_id,
        "created_at": int(call.at.timestamp()),
        "value_after": [{"note": {"id": call.note_id}}],
        "value_before": [],
        "account_id": clinic.account_id,
    }


def _event(clinic: SimClinic, event: SimEvent) -> Row:
    return {
        "id": event.id,
        "type": event.type,
        "entity_id": event.entity_id,
        "entity_type": event.entity_type,
        "created_by": event.created_by,
        "created_at": int(event.at.timestamp()),
        "value_after": list(event.value_after),
        "value_before": list(event.value_before),
        "account_id": clinic.account_id,
    }
