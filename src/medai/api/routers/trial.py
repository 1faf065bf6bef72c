"""Trying the service with a recording of one's own (contract 1.3)."""

from fastapi import APIRouter, UploadFile
from fastapi.responses import JSONResponse, Response

from medai.analysis.formats import analysis_filename
from medai.api.dependencies import App, Installation
from medai.api.errors import problems, refusal
from medai.api.routers.analysis_shapes import StillWorking, TrialAnswer, TrialFile, TrialFiles
from medai.calls.models import Call
from medai.processing.links import SignedLinks
from medai.transcription.formats import transcript_filename

router = APIRouter(tags=["analysis"])


@router.post(
    "/test/transcribe-and-analyze",
    summary="Transcribe and analyse an uploaded MP3",
    response_model=TrialAnswer,
    responses={202: {"model": StillWorking}, **problems(400, 404, 500, 502)},
)
async def transcribe_and_analyse(
    audio: UploadFile, app: App, _: Installation
) -> TrialAnswer | Response:
    """Waits up to 55 seconds, then 202; sending the same file again continues and costs nothing.

    The recording and its minutes belong to the clinic "Проверка записей", made at first use, so
    that no real clinic's figures change. Needs a key of all clinics.
    """
    waited = await app.trials.tried(audio.filename or "", await audio.read())
    if waited.failure:
        return refusal(waited.failure.code, waited.failure.message)
    if not waited.is_over:
        message = "Запись обрабатывается: пришлите её ещё раз через минуту"
        return JSONResponse(StillWorking(call_id=waited.call.id, message=message).model_dump(), 202)
    return TrialAnswer(
        message="Запись расшифрована и проанализирована", data=_files(waited.call, app.links)
    )


def _files(call: Call, links: SignedLinks) -> TrialFiles:
    text = call.transcript.filename if call.transcript else transcript_filename(call)
    scores = analysis_filename(call.id)
    return TrialFiles(
        transcription=TrialFile(filename=text, download_url=links.transcript_url(call)),
        analysis=TrialFile(filename=scores, download_url=links.analysis_url(call, scores)),
    )
