"""amoCRM's call notes in our words (contract 4.3, amocrm.md 4)."""

from medai.calls.models import Direction
from medai.crm.ports import CallNote, Cards
from medai.integrations.amocrm.models import Note

CALL_DIRECTIONS = {
    "incoming_call": Direction.INBOUND,
    "outgoing_call": Direction.OUTBOUND,
    "call_in": Direction.INBOUND,
    "call_out": Direction.OUTBOUND,
}
"""By the type of an event or of a note."""


def call_note(note: Note, collection: Cards) -> CallNote:
    """The call inside a note."""
    call = note.call
    named = call.responsible if isinstance(call.responsible, str) else ""
    user_id = call.responsible if isinstance(call.responsible, int) else note.responsible_user_id
    return CallNote(
        note_id=note.id,
        collection=collection,
        entity_id=note.entity_id,
        direction=CALL_DIRECTIONS.get(note.type, Direction.UNKNOWN),
        started_at=note.created_at,
        duration_seconds=call.duration,
        phone=call.phone,
        link=call.link,
        uniq=call.uniq,
        responsible_user_id=user_id,
        responsible_name=named if any(letter.isalpha() for letter in named) else "",
        status=call.status,
        result=call.result,
    )
