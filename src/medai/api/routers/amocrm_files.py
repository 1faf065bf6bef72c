"""Recordings behind CRM notes (contract 1.5, pass-through).

Every route needs a key: the old system left them open to whoever knew a client_id.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from medai.access.audit import Opened
from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.amocrm_answers import PathId, QueryId
from medai.api.routers.media_types import AUDIO_CONTENT, AUDIO_TYPES, OTHER_TYPE
from medai.api.routers.parameters import ClinicId
from medai.processing.note_recordings import NoteRecording

_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Запись; тип audio/mpeg, если АТС не дала другого",
        "content": AUDIO_CONTENT,
    },
    **problems(400, 404, 422, 502, 503),
}

router = APIRouter(prefix="/amocrm", tags=["amocrm"])


@router.get(
    "/contact/{contact_id}/download-call",
    summary="The newest recording of a contact",
    responses=_AUDIO,
    response_class=StreamingResponse,
)
async def newest_of_contact(
    contact_id: PathId, client_id: ClinicId, app: App, who: Who
) -> StreamingResponse:
    """From our store when the call is there, else from the telephony."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    found = await app.note_recordings.newest_of_contact(clinic, contact_id)
    return await _given(found, f"{contact_id}_call", client_id, who)


@router.get(
    "/lead/{lead_id}/note/{note_id}/download",
    summary="The recording of a note on a lead",
    responses=_AUDIO,
    response_class=StreamingResponse,
)
async def of_lead_note(
    lead_id: PathId, note_id: PathId, client_id: ClinicId, app: App, who: Who
) -> StreamingResponse:
    """404 when the note is on another card."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    found = await app.note_recordings.of_note(clinic, note_id, lead_id=lead_id)
    return await _given(found, f"lead_{lead_id}_note_{note_id}", client_id, who)


@router.post(
    "/lead/{lead_id}/download-call",
    summary="A recording of a lead, the newest by default",
    responses=_AUDIO,
    response_class=StreamingResponse,
)
async def of_lead(
    lead_id: PathId, client_id: ClinicId, app: App, who: Who, note_id: QueryId = None
) -> StreamingResponse:
    """The recording of `note_id`, or of the lead's newest call that has one."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    if note_id is not None:
        found = await app.note_recordings.of_note(clinic, note_id, lead_id=lead_id)
    else:
        found = await app.note_recordings.newest_of_lead(clinic, lead_id)
    return await _given(found, f"lead_{lead_id}_note_{found.note_id}", client_id, who)


@router.get(
    "/contact/call/{note_id}/download",
    summary="The recording of a call note",
    responses=_AUDIO,
    response_class=StreamingResponse,
)
async def of_note(note_id: PathId, client_id: ClinicId, app: App, who: Who) -> StreamingResponse:
    """Wherever the note is: on a contact, a lead or a company. A `contact_id` is ignored."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    found = await app.note_recordings.of_note(clinic, note_id)
    return await _given(found, f"call_{note_id}", client_id, who)


async def _given(
    found: NoteRecording, name: str, client_id: str, who: Visitor
) -> StreamingResponse:
    """The audio as an attachment, noted in the access log before it leaves."""
    await who.opens(Opened.RECORDING, found.call_id, client_id)
    return StreamingResponse(
        found.chunks,
        media_type=AUDIO_TYPES.get(found.extension, OTHER_TYPE),
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{found.extension}"',
            "Content-Length": str(found.size_bytes),
        },
    )
