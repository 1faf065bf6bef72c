"""Transcribing the call behind a CRM note (contract 1.5).

In the old system it was open to strangers and its work died half way.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.amocrm_answers import UNKNOWN, PathId
from medai.api.routers.parameters import ClinicId
from medai.bootstrap import Application
from medai.calls.models import Call
from medai.crm.lookups import unknown_note
from medai.processing.person_requests import Asked
from medai.transcription.formats import transcript_filename

router = APIRouter(prefix="/amocrm", tags=["amocrm"])

_LINK = "https://api.example.ru/api/calls/download/5f0c…?expires=1829000000&signature=9b1e…"


class NoteQueued(BaseModel):
    """What was asked for. `status` is success when the transcript is there already."""

    call_id: str = Field(examples=["5f0c0d9e2b7a4c1d8e6f0a12"])
    note_id: int = Field(examples=[146355909])
    lead_id: int | None = Field(examples=[28504853])
    audio_file: str = Field(description="пусто, пока запись не загружена")
    transcription_file: str = Field(examples=["note_146355909_5f0c0d9e2b7a4c1d8e6f0a12.txt"])
    phone: str = Field(examples=["+79000000001"])
    client_name: str = Field(examples=["Без имени"])
    manager_name: str = Field(examples=["Неизвестный администратор"])
    status: Literal["processing", "success"]
    download_url: str = Field(examples=[_LINK], description="подписана: открывается без ключа")
    transcription_url: str = Field(
        examples=[_LINK], description="подписана; 404, пока расшифровки нет"
    )
    run_id: str = Field(examples=["6a1b2c3d4e5f60718293a4b5"], description="см. /api/runs")


class NoteQueuedAnswer(BaseModel):
    """Answer of download-and-transcribe."""

    success: Literal[True] = True
    message: str = Field(examples=["Транскрибация запущена"])
    data: NoteQueued


@router.post(
    "/contact/call/{note_id}/download-and-transcribe",
    summary="Transcribe the call of a note",
    responses=problems(400, 404),
)
async def transcribe_note(
    note_id: PathId,
    client_id: ClinicId,
    app: App,
    who: Who,
    _speakers: Annotated[
        int,
        Query(alias="num_speakers", ge=1, le=32, description="принимается и не нужен"),
    ] = 2,
) -> NoteQueuedAnswer:
    """Queue the stored call and answer at once; `lead_id`, `contact_id` and `is_first_contact` of
    old clients are ignored. 404 for a note that no sync has brought, or without a recording."""
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    call = (await app.calls.of_notes(clinic.client_id, [note_id])).get(note_id)
    if call is None:
        raise unknown_note(note_id)
    asked = await app.asked.transcription_of(call)
    return NoteQueuedAnswer(
        message="Транскрибация запущена" if asked.queued else "Расшифровка уже есть",
        data=_queued(call, note_id, asked, app),
    )


def _queued(call: Call, note_id: int, asked: Asked, app: Application) -> NoteQueued:
    filename = call.transcript.filename if call.transcript else transcript_filename(call)
    audio_url, text_url = app.note_recordings.promised(call, filename)
    return NoteQueued(
        call_id=call.id,
        note_id=note_id,
        lead_id=call.lead_id,
        audio_file=call.audio.file.rpartition("/")[2] if call.audio else "",
        transcription_file=filename,
        phone=call.phone or UNKNOWN,
        client_name=call.contact_name or UNKNOWN,
        manager_name=call.administrator,
        status="processing" if asked.queued else "success",
        download_url=audio_url,
        transcription_url=text_url,
        run_id=asked.run_id,
    )
