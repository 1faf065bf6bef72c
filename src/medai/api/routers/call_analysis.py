"""The analysis of one call: asked for, shown as scores, given out as a file (contract 1.3)."""

from string import ascii_letters, digits
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from medai.access.audit import Opened
from medai.analysis.formats import Heading, analysed_call, analysis_text
from medai.api.dependencies import App, SignedLink, Visitor, Who
from medai.api.errors import problems, refusal
from medai.api.routers.analysis_presenters import analysed, scores
from medai.api.routers.analysis_shapes import CallAnalysed, CallScores, StillWorking
from medai.api.routers.parameters import Again, AnyClinicId, CallId, FileName
from medai.bootstrap import Application
from medai.calls.models import Call
from medai.errors import NotFoundError
from medai.kit.days import zone

router = APIRouter(tags=["analysis"])

_HEADER_LETTERS = frozenset(ascii_letters + digits + "._-+ ")
"""Of a file name in a header: old names hold whatever the telephony had for a phone."""
_MOST_DIGITS = 18
"""A longer number is no note id; stores count with 64 bits."""
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The file"}
}


@router.post(
    "/call/analyze-call-new/{call_id}",
    summary="Analyse one call and wait for it",
    response_model=CallAnalysed,
    response_model_exclude_unset=True,
    responses={202: {"model": StillWorking}, **problems(404, 409, 500, 502)},
)
async def analyse_call(
    call_id: CallId, app: App, who: Who, force_analyze: Again = False
) -> CallAnalysed | Response:
    """The analysis, made now unless it is there; waits up to 55 seconds, as the old system did.

    The work is queued: whoever hangs up loses nothing, and asking again joins it. A failed step
    answers with its own words. `force_analyze` makes a new analysis in place of the stored one.
    """
    call = await app.calls.get(call_id)
    if call is None or not who.grant.allows(call.client_id):
        raise NotFoundError("Звонок не найден: проверьте номер звонка")
    waited = await app.single_analysis.analysed(call, again=force_analyze)
    if waited.failure:
        return refusal(waited.failure.code, waited.failure.message)
    if waited.call.analysis is None or not waited.is_over:
        message = "Анализ ещё идёт: повторите запрос через минуту"
        return JSONResponse(StillWorking(call_id=call_id, message=message).model_dump(), 202)
    await who.opens(Opened.ANALYSIS, call.id, call.client_id)
    stored = await app.analysis.stored(call.id)
    return analysed(call.id, waited.call.analysis, stored)


@router.get(
    "/call/scores",
    summary="Scores of the call behind a CRM note",
    responses=problems(400, 404),
)
async def call_scores(
    app: App,
    who: Who,
    note_id: Annotated[
        str,
        Query(
            pattern=r"^[A-Za-z0-9_-]{1,64}$",
            description="номер примечания о звонке в amoCRM",
            examples=["1000004"],
        ),
    ],
    client_id: AnyClinicId = None,
) -> CallScores:
    """404 for an unknown note and for a call that is not analysed yet."""
    client_id = who.clinic(client_id)
    is_number = note_id.isdecimal() and len(note_id) <= _MOST_DIGITS
    call = await app.calls.require_note(client_id, int(note_id) if is_number else note_id)
    if call.analysis is None:
        raise NotFoundError("Звонок ещё не проанализирован: запустите анализ")
    clinic = await app.clinics.require(call.client_id)
    await who.opens(Opened.ANALYSIS, call.id, call.client_id)
    stored = await app.analysis.stored(call.id)
    url = app.links.transcript_url(call) or None
    return scores(call, call.analysis, stored, tz=zone(clinic.timezone), transcription_url=url)


@router.get(
    "/analysis/{filename}/download",
    summary="The analysis as a text file",
    dependencies=[SignedLink],
    response_class=Response,
    responses={**_FILE, **problems(404)},
)
async def download_analysis(filename: FileName, app: App, who: Who) -> Response:
    """Metadata, every criterion with comment and quote, overall score, conversion, advice."""
    call_id = analysed_call(filename)
    call = await app.calls.get(call_id) if call_id else None
    stored = await app.analysis.stored(call.id) if call else None
    if call is None or stored is None:
        return await _old_file(filename, call, app, who)
    if not who.grant.allows(call.client_id):
        raise _no_file()
    clinic = await app.clinics.require(call.client_id)
    await who.opens(Opened.ANALYSIS, call.id, call.client_id)
    heading = Heading(clinic.name, zone(clinic.timezone))
    return _given(analysis_text(call, stored, heading), filename)


async def _old_file(filename: str, call: Call | None, app: Application, who: Visitor) -> Response:
    """The file of the replaced system, by its own name or by that of the call."""
    old = await (app.old_analyses.of_call(call.id) if call else app.old_analyses.named(filename))
    if old is None or not who.grant.allows(old.client_id):
        raise _no_file()
    await who.opens(Opened.ANALYSIS, old.call_id, old.client_id)
    return _given(old.text, filename)


def _given(text: str, filename: str) -> Response:
    named = "".join(letter if letter in _HEADER_LETTERS else "_" for letter in filename)
    headers = {"Content-Disposition": f'attachment; filename="{named}"'}
    return PlainTextResponse(text, headers=headers)


def _no_file() -> NotFoundError:
    return NotFoundError("Файл анализа не найден: проверьте ссылку")
