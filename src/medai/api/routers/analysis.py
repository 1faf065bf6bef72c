"""Analysis of the calls of days (contract 1.3)."""

from fastapi import APIRouter

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.call_shapes import RangeStarted, RangeStatus
from medai.api.routers.parameters import Again, AnyClinicId, FirstDay, LastDay
from medai.api.routers.ranges import period_answer, started
from medai.kit.days import parse_range

router = APIRouter(tags=["analysis"])


@router.post(
    "/call-analysis/analyze",
    summary="Start analysing the days (second name)",
    responses=problems(400, 404),
)
@router.post(
    "/analyze-by-date-range",
    summary="Start analysing the days",
    responses=problems(400, 404),
)
async def analyse(
    app: App,
    who: Who,
    start_date_str: FirstDay,
    end_date_str: LastDay,
    client_id: AnyClinicId = None,
    force_analyze: Again = False,
) -> RangeStarted:
    """Queue transcribed calls without an analysis; `force_analyze` repeats finished ones."""
    parse_range(start_date_str, end_date_str)
    client_id = who.clinic(client_id)
    if client_id is not None:
        await app.clinics.require(client_id)
    return await started(
        lambda: app.asked.analysis(client_id, start_date_str, end_date_str, force=force_analyze),
        "Анализ запущен",
    )


@router.get(
    "/call-analysis/analyze-status",
    summary="How far analysis is (second name)",
    responses=problems(400, 404),
)
@router.get(
    "/analyze-by-date-range-status",
    summary="How far analysis is",
    responses=problems(400, 404),
)
async def analysis_state(
    app: App,
    who: Who,
    start_date_str: FirstDay,
    end_date_str: LastDay,
    client_id: AnyClinicId = None,
) -> RangeStatus:
    """Counts by status of the calls that have a transcript. Poll until completed or partial.

    Only successes are progress here, unlike in the status of transcription (contract 1.3).
    """
    days = parse_range(start_date_str, end_date_str)
    status = await app.period_statuses.analysis(who.clinic(client_id), days)
    return period_answer(status, done=status.success)
