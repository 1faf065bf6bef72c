"""Analysis of the calls of days (contract 1.3)."""

from fastapi import APIRouter

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.analysis_shapes import AnalysisStarted, AnalysisStatus, StatusBreakdown
from medai.api.routers.parameters import AnyClinicId, FirstDay, LastDay
from medai.api.routers.ranges import started
from medai.kit.days import parse_range
from medai.processing.analysis_progress import AnalysisCounts

router = APIRouter(tags=["analysis"])


@router.post(
    "/call-analysis/analyze",
    summary="Start analysing the days (README's name)",
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
    force_analyze: bool = False,
) -> AnalysisStarted:
    """Queue transcribed calls without an analysis; `force_analyze` repeats finished ones."""
    parse_range(start_date_str, end_date_str)
    client_id = who.clinic(client_id)
    if client_id is not None:
        await app.clinics.require(client_id)
    answer = await started(
        lambda: app.asked.analysis(client_id, start_date_str, end_date_str, force=force_analyze),
        "Анализ запущен",
    )
    return AnalysisStarted.model_validate(answer)


@router.get(
    "/call-analysis/analyze-status",
    summary="How far analysis is (README's name)",
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
) -> AnalysisStatus:
    """Counts by status of the calls that have a transcript. Poll until completed or partial."""
    days = parse_range(start_date_str, end_date_str)
    raw = (start_date_str, end_date_str)
    return _shown(await app.analysis_progress.of(who.clinic(client_id), days, raw))


def _shown(counts: AnalysisCounts) -> AnalysisStatus:
    """Only successes are progress here, unlike transcription's status (contract 1.3)."""
    return AnalysisStatus(
        overall_status=counts.overall,
        total_calls=counts.total,
        status_breakdown=StatusBreakdown(**counts.model_dump(exclude={"was_asked"})),
        progress_percentage=round(counts.success / counts.total * 100, 2) if counts.total else 0,
    )
