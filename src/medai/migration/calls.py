"""Old calls (contract 2.1) as ours. Pure.

No call is asked for anything: what was transcribed, written to the CRM or analysed stays so, what
was not waits for a person or the schedule as any other call.
"""

from datetime import datetime
from typing import Any

from medai.calls.models import (
    UNDEFINED_SOURCE,
    UNKNOWN_ADMINISTRATOR,
    Analysis,
    Call,
    Direction,
    Step,
)
from medai.calls.repository import to_document
from medai.calls.speed import processing_speed_minutes
from medai.infra.documents import Document
from medai.kit.days import business_day
from medai.kit.text import clean
from medai.migration.life import failures, note_of, reached, transcript_of, was_refused
from medai.migration.models import (
    Context,
    Converted,
    Place,
    Raw,
    Refused,
    fill_gaps,
    id_of,
    left_over,
)
from medai.migration.scores import OldAnalysis, analysis_file, old_analysis
from medai.migration.values import (
    day,
    first,
    is_true,
    known,
    moment,
    plain,
    seconds,
    text,
    whole,
)

NAMED_FILES = ("filename_audio", "filename_transcription", "analysis_file")
"""Names of old files, kept under `legacy`: `migration.files` looks for them."""
_USED = frozenset(
    {
        "note_id", "event_id", "lead_id", "contact_id", "lead_name", "contact_name", "client_id",
        "subdomain", "administrator", "source", "processing_speed", "processing_speed_str",
        "call_direction", "duration", "duration_formatted", "phone", "call_link", "created_at",
        "created_date", "created_date_iso", "created_date_for_filtering", "recorded_at",
        "updated_at", "amocrm_user_id", "responsible_user_id", "transcription_status",
        "transcription_error", "amo_transcription_synced", "amo_transcription_note_id",
        "amo_transcription_synced_at", "metrics", "conversion_type", "call_type_id",
        "call_type_name", "recommendations", "analysis_id", "analysis", "analyzed_at",
        "analyze_status",
    }
)  # fmt: skip
_DIRECTIONS = {
    "входящий": Direction.INBOUND, "inbound": Direction.INBOUND, "in": Direction.INBOUND,
    "incoming_call": Direction.INBOUND, "исходящий": Direction.OUTBOUND,
    "outbound": Direction.OUTBOUND, "out": Direction.OUTBOUND, "outgoing_call": Direction.OUTBOUND,
}  # fmt: skip
_NOBODY = ("Неизвестный", "Неизвестно", "None", "null")
_NO_CONTACT = ("Неизвестный контакт", "Неизвестно", "None", "null")
_NO_PHONE = ("Неизвестно", "None", "null")
_LONGEST_PHONE = 40
_LONGEST_NAME = 300


def call(raw: Raw, context: Context) -> Converted | Refused:
    """The call, with its old id, so that links of boards and reports keep working."""
    client_id = text(raw.get("client_id"))
    place = context.place(client_id)
    started, when_odd = _started(raw)
    if not client_id or started is None:
        return Refused("call_without_clinic" if not client_id else "call_without_time")
    note_id, note_odd = _note_id(raw)
    stored_at = first(moment(raw.get("recorded_at")), _born(raw), started)
    updated = first(moment(raw.get("updated_at")), stored_at)
    analysed = old_analysis(raw, updated)
    made = _call(raw, place, (note_id, started), (stored_at, updated), analysed.analysis)
    made = _with_life(raw, made, context.now)
    shown_day = day(raw.get("created_date_for_filtering"), place.tz)
    shown = shown_day.isoformat() if shown_day else ""
    oddities = [*when_odd, *note_odd, *analysed.oddities]
    oddities += ["unreadable_duration"] if _is_odd(raw.get("duration")) else []
    oddities += ["call_of_unknown_clinic"] if client_id not in context.places else []
    oddities += ["day_corrected"] if shown and shown != made.business_day.isoformat() else []
    legacy = {**left_over(raw, _USED), **_legacy(raw, analysed), "day": shown}
    legacy = {name: value for name, value in legacy.items() if value not in (None, "", {}, [])}
    return Converted(
        {**to_document(made), "legacy": legacy}, key_of(raw, context),
        _rank(made), _facts(made, legacy), tuple(oddities),
    )  # fmt: skip


def key_of(raw: Raw, context: Context) -> tuple[str, ...]:
    """The clinic and the note: one call, however often it was stored."""
    note_id, _ = _note_id(raw)
    return context.place(text(raw.get("client_id"))).client_id, str(note_id)


def joined(document: Document, facts: list[Document]) -> Document:
    """The kept call with what its copies know: a note that is in the CRM is not written again."""
    filled = fill_gaps(document, [{k: v for k, v in m.items() if k != "legacy"} for m in facts])
    legacy = fill_gaps(document.get("legacy") or {}, [m.get("legacy") or {} for m in facts])
    model = Call(
        id=filled["_id"], **{k: v for k, v in filled.items() if k not in ("_id", "legacy")}
    )
    left = {step: f for step, f in model.failures.items() if not _is_done(step, model)}
    whole_call = model.model_copy(update={"stage": reached(model), "failures": left})
    return {**to_document(whole_call), "legacy": legacy}


def _call(
    raw: Raw,
    place: Place,
    known_as: tuple[int | str, datetime],
    moments: tuple[datetime, datetime],
    analysis: Analysis | None,
) -> Call:
    (note_id, started), (stored_at, updated) = known_as, moments
    lead_id, contact_id = _card(raw.get("lead_id")), _card(raw.get("contact_id"))
    metrics = raw.get("metrics") if isinstance(raw.get("metrics"), dict) else {}
    label = text(raw.get("processing_speed_str"))
    speed = whole(raw.get("processing_speed"))
    booked = is_true((metrics or {}).get("conversion"))
    return Call(
        id=id_of(raw),
        client_id=place.client_id,
        subdomain=text(raw.get("subdomain")) or place.subdomain,
        note_id=note_id,
        event_id=text(raw.get("event_id")) or None,
        collection="leads" if lead_id else "contacts" if contact_id else None,
        entity_id=lead_id or contact_id,
        lead_id=lead_id,
        lead_name=text(raw.get("lead_name"))[:_LONGEST_NAME],
        contact_id=contact_id,
        contact_name=known(raw.get("contact_name"), *_NO_CONTACT)[:_LONGEST_NAME],
        responsible_user_id=_card(first(raw.get("responsible_user_id"), raw.get("amocrm_user_id"))),
        administrator=known(raw.get("administrator"), *_NOBODY) or UNKNOWN_ADMINISTRATOR,
        source=known(raw.get("source"), "None", "null") or UNDEFINED_SOURCE,
        processing_speed_minutes=speed if speed is not None else processing_speed_minutes(label),
        processing_speed_label=label or "0 мин",
        direction=_DIRECTIONS.get(text(raw.get("call_direction")).lower(), Direction.UNKNOWN),
        duration_seconds=_duration(raw, metrics or {}),
        phone=known(raw.get("phone"), *_NO_PHONE)[:_LONGEST_PHONE],
        recording_url=clean(text(raw.get("call_link"))) or None,
        started_at=started,
        business_day=business_day(started, place.tz),
        converted=booked,
        conversion_type=(text(raw.get("conversion_type")) or None) if booked else None,
        analysis=analysis,
        stored_at=stored_at,
        updated_at=updated,
    )


def _with_life(raw: Raw, made: Call, now: datetime) -> Call:
    transcript = transcript_of(raw, made)
    note = note_of(raw, made)
    known_steps = made.model_copy(update={"transcript": transcript, "crm_note": note})
    return known_steps.model_copy(
        update={
            "stage": reached(known_steps),
            "failures": failures(raw, known_steps, now),
            "transcription_requested_at": _asked_at(raw, known_steps),
            "analysis_requested_at": _analysis_asked_at(raw, known_steps),
        }
    )


def _asked_at(raw: Raw, made: Call) -> datetime | None:
    """Calls that were tried are not asked for again by the schedule."""
    if made.transcript is not None:
        return made.transcript.transcribed_at
    return made.updated_at if was_refused(raw) else None


def _analysis_asked_at(raw: Raw, made: Call) -> datetime | None:
    if made.analysis is not None:
        return made.analysis.analysed_at
    refused = made.transcript is None and was_refused(raw)
    return made.updated_at if refused else None


def _started(raw: Raw) -> tuple[datetime | None, tuple[str, ...]]:
    """When the call was; the first form that can be read. Naive ones are of the container (UTC)."""
    sure = first(*(moment(raw.get(name)) for name in ("created_at", "created_date_iso")))
    if sure is not None:
        return sure, ()
    guesses = (moment(raw.get(n)) for n in ("created_date", "recorded_at", "updated_at"))
    otherwise = first(*guesses, moment(raw.get("created_date_for_filtering")), _born(raw))
    return otherwise, ("time_from_another_field",)


def _note_id(raw: Raw) -> tuple[int | str, tuple[str, ...]]:
    """The note's number, else the event's id, else an id that keeps the call apart."""
    found = whole(raw.get("note_id"))
    if found is not None and found > 0:
        return found, ()
    written = text(raw.get("note_id")) or text(raw.get("event_id"))
    if written:
        return written, ("note_id_is_an_event",)
    return f"old-{raw['_id']}", ("call_without_note_id",)


def _born(raw: Raw) -> datetime | None:
    return moment(getattr(raw["_id"], "generation_time", None))


def _card(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and found > 0 else None


def _duration(raw: Raw, metrics: dict[str, Any]) -> int:
    found = (seconds(raw.get("duration")), seconds(metrics.get("duration")))
    return first(*found, seconds(raw.get("duration_formatted")), 0)  # type: ignore[no-any-return]


def _is_odd(duration: Any) -> bool:
    return duration not in (None, "") and seconds(duration) is None


def _legacy(raw: Raw, analysed: OldAnalysis) -> Document:
    return {
        "filename_audio": text(raw.get("filename_audio")),
        "filename_transcription": text(raw.get("filename_transcription")),
        "analysis_file": analysis_file(raw),
        "metrics": plain(analysed.metrics),
        "transcription_status": text(raw.get("transcription_status")),
        "duration": plain(raw.get("duration")) if _is_odd(raw.get("duration")) else None,
    }


def _rank(made: Call) -> tuple[float, ...]:
    return (
        made.transcript is not None,
        made.analysis is not None,
        made.crm_note is not None,
        made.recording_url is not None,
        made.updated_at.timestamp(),
    )


def _facts(made: Call, legacy: Document) -> Document:
    document = to_document(made)
    names = (
        "crm_note", "transcript", "analysis", "transcription_requested_at",
        "analysis_requested_at", "recording_url", "lead_id", "contact_id", "collection",
        "entity_id",
    )  # fmt: skip
    facts = {name: document[name] for name in names if document[name]}
    if made.converted:
        facts |= {"converted": True, "conversion_type": made.conversion_type}
    files = {name: legacy[name] for name in NAMED_FILES if legacy.get(name)}
    return {**facts, "legacy": files}


def _is_done(step: Step, made: Call) -> bool:
    done = {
        Step.RECORDING: made.transcript,
        Step.TRANSCRIPTION: made.transcript,
        Step.NOTE: made.crm_note,
        Step.ANALYSIS: made.analysis,
    }
    return done[step] is not None
