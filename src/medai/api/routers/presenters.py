"""Clean call documents in the shape that old clients read (contract 2.1): see `CallDocument`."""

from typing import Any
from zoneinfo import ZoneInfo

from medai.analysis.formats import analysis_filename
from medai.calls.life import analyze_status, transcription_status
from medai.calls.models import Call, Step

UNKNOWN_PHONE = "Неизвестно"
UNKNOWN_CONTACT = "Неизвестный контакт"


def call_document(call: Call, tz: ZoneInfo) -> dict[str, Any]:
    """One call as `calls/list` shows it. Local times are of the clinic's zone."""
    local = call.started_at.astimezone(tz)
    return {
        "_id": call.id,
        "note_id": call.note_id,
        "event_id": call.event_id,
        "lead_id": call.lead_id,
        "lead_name": call.lead_name,
        "contact_id": call.contact_id,
        "contact_name": call.contact_name or UNKNOWN_CONTACT,
        "client_id": call.client_id,
        "subdomain": call.subdomain,
        "administrator": call.administrator,
        "source": call.source,
        "processing_speed": call.processing_speed_minutes,
        "processing_speed_str": call.processing_speed_label,
        "call_direction": call.direction.label,
        "duration": call.duration_seconds,
        "duration_formatted": f"{call.duration_seconds // 60}:{call.duration_seconds % 60:02d}",
        "phone": call.phone or UNKNOWN_PHONE,
        "call_link": call.recording_url or "",
        "created_at": int(call.started_at.timestamp()),
        "created_date": local.replace(tzinfo=None).isoformat(" ", "seconds"),
        "created_date_iso": local.isoformat(),
        "created_date_for_filtering": call.business_day.isoformat(),
        "recorded_at": call.stored_at.isoformat(),
        "updated_at": call.updated_at.isoformat(),
        "amocrm_user_id": call.responsible_user_id,
        "conversion_type": call.conversion_type,
        **_transcription(call),
        **_analysis(call),
    }


def _transcription(call: Call) -> dict[str, Any]:
    note = call.crm_note
    steps = () if call.transcript else (Step.RECORDING, Step.TRANSCRIPTION)
    return {
        "transcription_status": transcription_status(call),
        "transcription_error": _error(call, *steps),
        "filename_audio": call.audio.file.rpartition("/")[2] if call.audio else None,
        "filename_transcription": call.transcript.filename if call.transcript else None,
        "amo_transcription_synced": note is not None,
        "amo_transcription_note_id": note.note_ids[0] if note and note.note_ids else None,
        "amo_transcription_synced_at": note.written_at.isoformat() if note else None,
        "amo_transcription_error": None if note else _error(call, Step.NOTE),
    }


def _analysis(call: Call) -> dict[str, Any]:
    analysis = call.analysis
    if analysis is None:
        return {
            "metrics": {"conversion": call.converted},
            "analyze_status": analyze_status(call),
            "analysis_error": _error(call, Step.ANALYSIS),
        }
    judged = {key: score for key, score in analysis.scores.items() if score is not None}
    return {
        "metrics": {
            **judged,
            "overall_score": analysis.overall,
            "conversion": call.converted,
            "call_type_classification": analysis.call_type,
        },
        "call_type_id": analysis.call_type_id,
        "call_type_name": analysis.call_type,
        "recommendations": list(analysis.recommendations),
        "analysis_id": analysis_filename(call.id),
        "analyzed_at": analysis.analysed_at.isoformat(),
        "analyze_status": analyze_status(call),
        "analysis_error": _error(call, Step.ANALYSIS),
    }


def _error(call: Call, *steps: Step) -> str | None:
    """Why the first of the steps that failed is not done, in words for people."""
    return next((call.failures[step].message for step in steps if step in call.failures), None)
