"""Calls, their transcription and their files (contract 1.2)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from medai.access.audit import Opened
from medai.api.dependencies import App, SignedLink, Who
from medai.api.routers.presenters import call_document
from medai.api.routers.ranges import counted, started, status_answer
from medai.calls.life import transcription_status
from medai.errors import NotFoundError
from medai.kit.days import DayRange, parse_range, zone
from medai.kit.phones import digits
from medai.transcription.formats import transcript_text

router = APIRouter(tags=["calls"])

_MEDIA_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "m4a": "audio/mp4"}

Start = Annotated[str, Query(description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")]


@router.get("/calls/list", summary="Calls of the days")
async def list_calls(
    app: App,
    who: Who,
    start_date: str | None = None,
    end_date: str | None = None,
    client_id: str | None = None,
) -> dict[str, Any]:
    """Full call documents in the contract's shape, skipped calls left out."""
    client_id = who.clinic(client_id)
    days = _optional_range(start_date, end_date)
    zones = {c.client_id: zone(c.timezone) async for c in app.clinics.all()}
    found = app.calls.of_days(client_id, days, where={"skip_reason": None})
    calls = [call_document(call, zones[call.client_id]) async for call in found]
    return {
        "success": True,
        "message": f"Найдено звонков: {len(calls)}",
        "data": {"calls": calls, "total": len(calls)},
    }


@router.post("/calls/transcribe", summary="Start transcribing the days")
@router.post("/calls/transcribe-by-date-range", summary="Start transcribing the days")
async def transcribe(
    app: App,
    who: Who,
    start_date_str: Start,
    end_date_str: Start,
    client_id: str | None = None,
    force_transcribe: bool = False,
) -> dict[str, Any]:
    """Queue what has no transcript; nothing is paid for twice, whatever is forced."""
    parse_range(start_date_str, end_date_str)
    client_id = who.clinic(client_id)
    if client_id is not None:
        await app.clinics.require(client_id)
    return await started(
        lambda: app.asked.transcription(
            client_id, start_date_str, end_date_str, force=force_transcribe
        ),
        "Транскрибация запущена",
    )


@router.get("/calls/transcribe-status", summary="How far transcription is")
@router.get("/calls/transcribe-by-date-range-status", summary="How far transcription is")
async def transcription_state(
    app: App, who: Who, start_date_str: Start, end_date_str: Start, client_id: str
) -> dict[str, Any]:
    """Counts by status of the calls that have a recording."""
    who.require(client_id)
    days = parse_range(start_date_str, end_date_str)
    found = app.calls.of_days(client_id, days, where={"skip_reason": None})
    with_recording = (call async for call in found if call.recording_url or call.audio)
    counts = await counted(with_recording, transcription_status)
    return status_answer(counts, finished=("success", "failed"))


@router.get("/calls/download/{call_id}", summary="The recording", dependencies=[SignedLink])
@router.get("/calls/download-audio/{call_id}", summary="The recording")
async def download_audio(call_id: str, app: App, who: Who) -> StreamingResponse:
    """The stored audio as an attachment. 404 for an unknown call or a missing file."""
    call = await app.calls.get(call_id)
    is_there = call and call.audio and await app.files.exists(call.audio.file)
    if call is None or call.audio is None or not (is_there and who.grant.allows(call.client_id)):
        raise NotFoundError("Запись этого звонка не найдена: проверьте номер звонка")
    await who.opens(Opened.RECORDING, call.id, call.client_id)
    clinic = await app.clinics.require(call.client_id)
    at = call.started_at.astimezone(zone(clinic.timezone))
    extension = call.audio.file.rpartition(".")[2]
    name = f"call_{digits(call.phone)}_{at:%Y%m%d%H%M%S}.{extension}"
    return StreamingResponse(
        app.files.stream(call.audio.file),
        media_type=_MEDIA_TYPES.get(extension, "application/octet-stream"),
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(await app.files.size(call.audio.file)),
        },
    )


@router.get(
    "/transcriptions/{filename}/download",
    summary="The transcript as a text file",
    dependencies=[SignedLink],
)
async def download_transcript(filename: str, app: App, who: Who) -> Response:
    """The transcript text. 404 for an unknown file."""
    call = await app.calls.with_transcript(filename)
    if call is None or not who.grant.allows(call.client_id):
        raise NotFoundError("Расшифровка не найдена: проверьте ссылку")
    await who.opens(Opened.TRANSCRIPT, call.id, call.client_id)
    clinic = await app.clinics.require(call.client_id)
    transcript = await app.transcription.get(call.id)
    text = transcript_text(transcript, call, tz=zone(clinic.timezone))
    offered = f"transcription_note_{call.note_id}.txt"
    return Response(
        text,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{offered}"'},
    )


def _optional_range(first: str | None, last: str | None) -> DayRange | None:
    if first is None and last is None:
        return None
    return parse_range(first or last or "", last or first or "")
