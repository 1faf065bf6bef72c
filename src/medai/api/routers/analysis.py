"""Analysis of calls over days (contract 1.3)."""

from fastapi import APIRouter

from medai.api.dependencies import App, Who
from medai.api.routers.call_shapes import RangeStarted, RangeStatus
from medai.api.routers.calls import Start
from medai.api.routers.ranges import period_answer, started
from medai.kit.days import parse_range

router = APIRouter(tags=["analysis"])


@router.post("/call-analysis/analyze", summary="Start analysing the days")
@router.post("/analyze-by-date-range", summary="Start analysing the days")
async def analyse(
    app: App,
    who: Who,
    start_date_str: Start,
    end_date_str: Start,
    client_id: str | None = None,
    force_analyze: bool = False,
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


@router.get("/call-analysis/analyze-status", summary="How far analysis is")
@router.get("/analyze-by-date-range-status", summary="How far analysis is")
async def analysis_state(
    app: App, who: Who, start_date_str: Start, end_date_str: Start, client_id: str | None = None
) -> RangeStatus:
    """Counts by status of the calls that have a transcript."""
    client_id = who.clinic(client_id)
    days = parse_range(start_date_str, end_date_str)
    status = await app.period_statuses.analysis(client_id, days)
    return period_answer(status, done=status.success)
