"""Transcripts as files: listed, searched, downloaded (contract 1.2)."""

from string import ascii_letters, digits
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from medai.access.audit import Opened
from medai.api.dependencies import App, SignedLink, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.parameters import LONGEST_ID, AnyClinicId, ClinicId
from medai.api.routers.transcription_shapes import (
    FilesFound,
    Refusal,
    found_files,
)
from medai.bootstrap import Application
from medai.calls.models import Call
from medai.errors import NotFoundError
from medai.processing.transcript_files import TranscriptSearch, search_moments
from medai.transcription.formats import offered_name

router = APIRouter(tags=["transcriptions"])

_HEADER_LETTERS = frozenset(ascii_letters + digits + "._-+ ")
"""Of a file name in a header: ids of restored documents may hold quotes and line breaks."""

_TEXT = {"text/plain; charset=utf-8": {"schema": {"type": "string"}}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The transcript as UTF-8 text", "content": _TEXT}
}
_LARGEST_ID = 2**63 - 1

CardId = Annotated[
    int | None, Query(ge=0, le=_LARGEST_ID, description="стоит в имени файла, больше ничего")
]


@router.get("/transcriptions", summary="The newest transcripts", responses=problems(400, 404))
async def list_transcripts(
    app: App,
    who: Who,
    client_id: AnyClinicId = None,
    limit: Annotated[int, Query(ge=1, le=500, description="не больше стольких")] = 200,
    offset: Annotated[int, Query(ge=0, le=100_000, description="ours: left out first")] = 0,
) -> FilesFound:
    """Newest first. The old list was endless: `limit` and `offset` page through it."""
    client_id = who.clinic(client_id)
    await who.opens(Opened.SEARCH, who.request_id, client_id)
    return found_files(await app.transcript_files.newest(client_id, limit=limit, offset=offset))


@router.get("/transcriptions/search", summary="Search in transcripts", responses=problems(400, 404))
async def search_transcripts(
    app: App,
    who: Who,
    query: Annotated[str, Query(max_length=200, description="any part of the text")] = "",
    phone: Annotated[str, Query(max_length=40)] = "",
    note_id: Annotated[
        str, Query(max_length=LONGEST_ID, description="номер примечания о звонке в amoCRM")
    ] = "",
    date_from: Annotated[str, Query(max_length=40, examples=["2026-11-19"])] = "",
    date_to: Annotated[str, Query(max_length=40, examples=["2026-11-19T18:00:00"])] = "",
    client_id: AnyClinicId = None,
    limit: Annotated[int, Query(ge=1, le=500, description="не больше стольких")] = 200,
) -> FilesFound:
    """Newest first; dates are ISO and of the transcription, both included, in the clinic's zone.

    At most 5,000 transcripts are read: `is_whole` tells whether that was all that could fit.
    """
    client_id = who.clinic(client_id)
    tz = await app.transcript_files.zone(client_id)
    since, before = search_moments(date_from, date_to, tz)
    wanted = TranscriptSearch(client_id, query, phone, note_id, since, before)
    await who.opens(Opened.SEARCH, who.request_id, client_id)
    return found_files(await app.transcript_files.search(wanted, limit=limit))


@router.get(
    "/transcriptions/{filename}/download",
    summary="The transcript as a text file",
    dependencies=[SignedLink],
    response_class=Response,
    responses={**_FILE, **problems(404)},
)
async def download_transcript(filename: str, app: App, who: Who) -> Response:
    """The transcript text. 404 for an unknown file."""
    call = await app.calls.with_transcript(filename)
    if call is None or not who.grant.allows(call.client_id):
        raise NotFoundError("Расшифровка не найдена: проверьте ссылку")
    return await _text(call, offered_name(filename), app, who)


@router.get(
    "/amocrm/note/{note_id}/transcript/download",
    summary="The transcript behind a CRM note",
    response_class=Response,
    responses={**_FILE, 404: {"model": Refusal, "description": "Клиники, звонка или текста нет"}},
)
async def download_note_transcript(
    note_id: str,
    app: App,
    who: Who,
    client_id: ClinicId,
    lead_id: Annotated[
        int | None, Query(ge=0, le=_LARGEST_ID, description="принимается, ничего не меняет")
    ] = None,
    contact_id: Annotated[
        int | None, Query(ge=0, le=_LARGEST_ID, description="принимается, ничего не меняет")
    ] = None,
) -> Response:
    """Needs a key. `lead_id` and `contact_id` only name the file; 404 has `success: false`."""
    call = None
    if who.grant.allows(client_id):
        call = await app.transcript_files.of_note(client_id, note_id)
    if call is None:
        message = "Расшифровка не найдена: проверьте номер заметки и client_id"
        return JSONResponse({"success": False, "message": message, "data": None}, 404)
    card = f"lead_{lead_id}_" if lead_id else f"contact_{contact_id}_" if contact_id else ""
    return await _text(call, f"transcript_{card}note_{call.note_id}.txt", app, who)


async def _text(call: Call, offered: str, app: Application, who: Visitor) -> Response:
    await who.opens(Opened.TRANSCRIPT, call.id, call.client_id)
    return Response(
        await app.transcript_files.text_of(call),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{_plain(offered)}"'},
    )


def _plain(name: str) -> str:
    """The name with other letters replaced."""
    return "".join(letter if letter in _HEADER_LETTERS else "_" for letter in name)
