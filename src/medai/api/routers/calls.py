"""Calls of days, their transcription and how far it is (contract 1.2)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.call_lists import CallLists
from medai.api.routers.call_shapes import CallList, QuotaSpent, RangeStarted, RangeStatus, refusal
from medai.api.routers.parameters import AnyClinicId, AnyDay, ClinicId, FirstDay, LastDay
from medai.api.routers.ranges import period_answer, started
from medai.calls.listing import CallQuery
from medai.kit.days import DayRange, parse_range
from medai.limits.state import LimitState

router = APIRouter(tags=["calls"])

_SECONDS_PER_MINUTE = 60
_MOST_LISTED = 10_000
_DEEPEST = 10_000_000


class _Refused(BaseModel):
    """403: minutes are spent (an object), or the key does not allow it (a line)."""

    detail: QuotaSpent | str
    code: str | None = None


@router.get(
    "/calls/list",
    summary="Calls of the days",
    response_class=JSONResponse,
    responses={200: {"model": CallList}, **problems(400, 404)},
)
async def list_calls(
    request: Request,
    who: Who,
    start_date: AnyDay = None,
    end_date: AnyDay = None,
    client_id: AnyClinicId = None,
    limit: Annotated[
        int | None, Query(ge=1, le=_MOST_LISTED, description="не больше стольких звонков")
    ] = None,
    offset: Annotated[
        int, Query(ge=0, le=_DEEPEST, description="сколько первых звонков пропустить")
    ] = 0,
) -> Response:
    """Full call documents by day and time, both dates included, skipped calls left out.

    Without dates the whole collection, as old clients expect; it is streamed.
    """
    days = _optional_range(start_date, end_date)
    lists: CallLists = request.app.state.call_lists
    return await lists.answer(CallQuery(who.clinic(client_id), days, limit, offset))


_START: dict[int | str, dict[str, Any]] = {
    **problems(400, 404),
    403: {"model": _Refused, "description": "Минуты клиники исчерпаны, или ключ только для чтения"},
}


@router.post(
    "/calls/transcribe",
    summary="Start transcribing the days",
    response_model=RangeStarted,
    responses=_START,
)
@router.post(
    "/calls/transcribe-by-date-range",
    summary="Start transcribing the days",
    response_model=RangeStarted,
    responses=_START,
)
async def transcribe(
    app: App,
    who: Who,
    start_date_str: FirstDay,
    end_date_str: LastDay,
    client_id: AnyClinicId = None,
    force_transcribe: Annotated[
        bool, Query(description="counts finished calls as found; nothing is paid for twice")
    ] = False,
) -> RangeStarted | Response:
    """Queue what has no transcript. 403 with the clinic's minutes when they are spent; without
    `client_id` clinics with spent minutes wait and the others go on."""
    parse_range(start_date_str, end_date_str)
    client_id = who.clinic(client_id)
    if client_id is not None and (spent := await app.limits.spent(client_id)):
        return JSONResponse(refusal(_spent(spent)), 403)
    return await started(
        lambda: app.asked.transcription(
            client_id, start_date_str, end_date_str, force=force_transcribe
        ),
        "Транскрибация запущена",
    )


@router.get(
    "/calls/transcribe-status", summary="How far transcription is", responses=problems(400, 404)
)
@router.get(
    "/calls/transcribe-by-date-range-status",
    summary="How far transcription is",
    responses=problems(400, 404),
)
async def transcription_state(
    app: App, who: Who, start_date_str: FirstDay, end_date_str: LastDay, client_id: ClinicId
) -> RangeStatus:
    """Counts by status of the calls that have a recording; 404 for an unknown clinic."""
    who.require(client_id)
    days = parse_range(start_date_str, end_date_str)
    await app.clinics.require(client_id)
    status = await app.period_statuses.transcription(client_id, days)
    return period_answer(status, done=status.success + status.failed)


def _spent(state: LimitState) -> QuotaSpent:
    month, week = state.month, state.week
    refusing = month if month.used_seconds >= month.limit_seconds else week
    return QuotaSpent(
        error=f"{_PERIODS[refusing.kind]} лимит минут исчерпан: добавьте минуты",
        clinic_name=state.clinic_name,
        monthly_limit=round(month.limit_seconds / _SECONDS_PER_MINUTE, 2),
        current_usage=round(month.used_seconds / _SECONDS_PER_MINUTE, 2),
        remaining=max(0.0, round((refusing.limit_seconds - refusing.used_seconds) / 60, 2)),
    )


_PERIODS = {"month": "Месячный", "week": "Недельный"}


def _optional_range(first: str | None, last: str | None) -> DayRange | None:
    if not first and not last:
        return None
    return parse_range(first or last or "", last or first or "")
