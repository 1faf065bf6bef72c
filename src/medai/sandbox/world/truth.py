"""The numbers a world must lead to, for the demo's and the tests' comparison with the product.

Written from contract sections 3, 4 and 5 alone, so that an error of the product shows.
"""

from collections import Counter
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from medai.kit.days import business_day, week_start
from medai.sandbox.world.criteria import CALL_TYPES, DECIDED_BY_CRM, KEYS
from medai.sandbox.world.judging import overall
from medai.sandbox.world.models import SimCall, SimClinic, World
from medai.sandbox.world.rows import table_rows

Json = dict[str, Any]
_DIRECTIONS = {"inbound": "Входящий", "outbound": "Исходящий"}


def truth(world: World) -> Json:
    """Expected results, JSON-able: {"day", "clinics": {client_id: …}, "rows": {table: …}}.

    A clinic has calls_found, calls_stored, calls_skipped {reason: n}, stt_seconds, notes_written,
    calls_analysed, converted, minutes_used, `calls` by note id (skipped ones too, with their
    reason) and `rows` of its own; the top-level `rows` are of both clinics together. Calls
    outside the world's day in the clinic's zone do not count.
    """
    clinics = {clinic.client_id: _clinic(world, clinic) for clinic in world.clinics}
    calls = [_labelled(clinic, call) for clinic in clinics.values() for call in _stored(clinic)]
    return {"day": world.day.isoformat(), "clinics": clinics, "rows": table_rows(calls)}


def _clinic(world: World, clinic: SimClinic) -> Json:
    found = [call for call in clinic.calls if _day_of(clinic, call) == world.day]
    stored = [call for call in found if call.expected.skip_reason is None]
    recorded = [call for call in stored if call.dialogue is not None]
    seconds = {call.dialogue.id: call.dialogue.seconds for call in recorded if call.dialogue}
    result: Json = {
        "name": clinic.name,
        "subdomain": clinic.subdomain,
        "client_id": clinic.client_id,
        "calls_found": len(found),
        "calls_stored": len(stored),
        "calls_skipped": dict(Counter(c.expected.skip_reason for c in found if c not in stored)),
        "stt_seconds": sum(seconds.values()),
        "notes_written": len(recorded),
        "calls_analysed": len(recorded),
        "converted": sum(call.expected.converted for call in stored),
        "minutes_used": round(sum(round(call.duration / 60, 2) for call in recorded), 2),
        "calls": {str(call.note_id): _call(clinic, call) for call in found},
    }
    result["rows"] = table_rows([_labelled(result, call) for call in _stored(result)])
    return result


def _call(clinic: SimClinic, call: SimCall) -> Json:
    known = call.expected
    facts: Json = {
        "business_day": _day_of(clinic, call).isoformat(),
        "week_start": week_start(_day_of(clinic, call)).isoformat(),
        "skip_reason": known.skip_reason,
        "direction": call.direction,
        "direction_label": _DIRECTIONS[call.direction],
        "duration": call.duration,
        "administrator": known.administrator,
        "source": known.source,
        "speed": known.processing_speed_minutes,
        "converted": known.converted,
        "conversion_type": known.conversion_type,
        "lead_id": known.lead_id,
        "lead_name": known.lead_name,
        "contact_id": known.contact_id,
        "contact_name": known.contact_name,
        "recording": call.recording,
        "seconds": call.dialogue.seconds if call.dialogue else None,
    }
    return facts | _judged(call)


def _judged(call: SimCall) -> Json:
    """Type, scores and their mean; absent (None) for a call without a recording."""
    dialogue = call.dialogue
    if dialogue is None:
        return {"call_type_id": None, "call_type": None, "scores": {}, "overall": None} | {
            "recommendations": 0
        }
    booking = 10 if call.expected.converted else 0
    scores = {
        key: booking if key == DECIDED_BY_CRM else dialogue.scores[key]
        for key in KEYS[dialogue.call_type_id]
    }
    return {
        "call_type_id": dialogue.call_type_id,
        "call_type": CALL_TYPES[dialogue.call_type_id],
        "scores": scores,
        "overall": overall(scores),
        "recommendations": len(dialogue.recommendations),
    }


def _stored(clinic: Json) -> list[Json]:
    return [call for call in clinic["calls"].values() if call["skip_reason"] is None]


def _labelled(clinic: Json, call: Json) -> Json:
    return call | {"client_id": clinic["client_id"], "subdomain": clinic["subdomain"]}


def _day_of(clinic: SimClinic, call: SimCall) -> date:
    return business_day(call.at, ZoneInfo(clinic.timezone))
