"""One call's transcription (contract 1.2)."""

from typing import Annotated

from fastapi import APIRouter, Query

from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.call_shapes import Queued, TranscriptionQueued
from medai.api.routers.parameters import CallId
from medai.api.routers.presenters import UNKNOWN_CONTACT, UNKNOWN_PHONE
from medai.api.routers.transcription_shapes import (
    FileOrder,
    FileQueued,
    QueuedFile,
)
from medai.bootstrap import Application
from medai.calls.models import Call
from medai.errors import NotFoundError
from medai.processing.person_requests import Asked
from medai.transcription.formats import transcript_filename

router = APIRouter(tags=["transcriptions"])


@router.post(
    "/calls/download-and-transcribe/{call_id}",
    summary="Download and transcribe one call",
    responses=problems(400, 404),
)
async def transcribe_call(
    call_id: CallId,
    app: App,
    who: Who,
    _speakers: Annotated[
        int,
        Query(
            alias="num_speakers",
            ge=1,
            le=32,
            description="accepted and not needed: speakers are told apart",
        ),
    ] = 2,
) -> TranscriptionQueued:
    """Queue the call and answer at once; the work survives restarts.

    How it ends is told by calls/list (transcription_status, transcription_error) and by the range
    status. 404 for an unknown call and one without a recording, 400 for one that is left out.
    """
    call = await _allowed(await app.calls.get(call_id), who)
    asked = await app.asked.transcription_of(call)
    return TranscriptionQueued(
        success=True,
        message="Транскрибация запущена" if asked.queued else "Расшифровка уже есть",
        data=_queued(call, asked, app),
    )


@router.post(
    "/transcribe", summary="Transcribe a stored recording by its name", responses=problems(400, 404)
)
async def transcribe_file(order: FileOrder, app: App, who: Who) -> FileQueued:
    """For the recording of a known call, named as in `filename_audio`. 404 for any other name."""
    call = await _allowed(await app.calls.with_audio(order.audio_filename), who)
    asked = await app.asked.transcription_of(call)
    return FileQueued(
        success=True,
        message="Транскрибация запущена" if asked.queued else "Расшифровка уже есть",
        data=QueuedFile(
            audio_filename=order.audio_filename,
            transcription_filename=_filename(call),
            status="processing" if asked.queued else "success",
        ),
    )


async def _allowed(call: Call | None, who: Visitor) -> Call:
    if call is None or not who.grant.allows(call.client_id):
        raise NotFoundError("Звонок не найден: проверьте номер звонка")
    return call


def _queued(call: Call, asked: Asked, app: Application) -> Queued:
    filename = _filename(call)
    return Queued(
        call_id=call.id,
        note_id=call.note_id,
        lead_id=call.lead_id,
        audio_file=call.audio.file.rpartition("/")[2] if call.audio else "",
        transcription_file=filename,
        phone=call.phone or UNKNOWN_PHONE,
        client_name=call.contact_name or UNKNOWN_CONTACT,
        manager_name=call.administrator,
        status="processing" if asked.queued else "success",
        download_url=app.links.audio_url(call),
        transcription_url=app.links.file_url(call, filename),
        run_id=asked.run_id,
    )


def _filename(call: Call) -> str:
    return call.transcript.filename if call.transcript else transcript_filename(call)
