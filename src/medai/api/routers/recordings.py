"""Recordings as files (contract 1.2)."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import Response, StreamingResponse

from medai.access.audit import Opened
from medai.api.byte_ranges import file_answer
from medai.api.dependencies import App, SignedLink, Who
from medai.api.errors import Problem, problems
from medai.api.routers.media_types import AUDIO_CONTENT, AUDIO_TYPES, OTHER_TYPE
from medai.api.routers.parameters import CallId
from medai.clinics.zones import shown_zone
from medai.errors import NotFoundError
from medai.kit.phones import digits

router = APIRouter(tags=["calls"])

_AUDIO_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The recording", "content": AUDIO_CONTENT},
    206: {"description": "The part named in Range", "content": AUDIO_CONTENT},
    416: {"description": "The recording has no such part", "model": Problem},
    **problems(404),
}


@router.get(
    "/calls/download/{call_id}",
    summary="The recording",
    dependencies=[SignedLink],
    response_class=StreamingResponse,
    responses=_AUDIO_ANSWERS,
)
@router.get(
    "/calls/download-audio/{call_id}",
    summary="The recording, for holders of a key",
    response_class=StreamingResponse,
    responses=_AUDIO_ANSWERS,
)
async def download_audio(
    call_id: CallId,
    app: App,
    who: Who,
    asked: Annotated[
        str | None, Header(alias="Range", max_length=200, description="bytes=0-65535")
    ] = None,
) -> Response:
    """The stored audio as an attachment, or the part of it that Range names.

    404 for an unknown or malformed id and for a missing file.
    """
    call = await app.calls.get(call_id)
    is_there = call and call.audio and await app.files.exists(call.audio.file)
    if call is None or call.audio is None or not (is_there and who.grant.allows(call.client_id)):
        raise NotFoundError("Запись этого звонка не найдена: проверьте номер звонка")
    await who.opens(Opened.RECORDING, call.id, call.client_id)
    at = call.started_at.astimezone(shown_zone(await app.clinics.by_client_id(call.client_id)))
    stored, phone = call.audio.file.rpartition("/")[2], digits(call.phone)
    extension = stored.rpartition(".")[2]
    name = f"call_{phone}_{at:%Y%m%d%H%M%S}.{extension}" if phone else stored
    return await file_answer(
        app.files,
        call.audio.file,
        media_type=AUDIO_TYPES.get(extension, OTHER_TYPE),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        asked=asked,
    )
