"""Conclusions of weeks and months (contract 1.3, 7)."""

from typing import Annotated

from fastapi import APIRouter, Query

from medai.access.audit import Opened
from medai.analysis.recommendations.models import Conclusions
from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.parameters import ClinicId, FirstDay, LastDay
from medai.api.routers.recommendation_shapes import (
    ConclusionsStatus,
    MonthAnswer,
    PeriodAnswer,
    month_answer,
    period_answer,
    status_answer,
)
from medai.errors import ForbiddenError
from medai.kit.days import parse_range

router = APIRouter(tags=["recommendations"])


Refresh = Annotated[
    bool, Query(description="сделать выводы заново: платный запрос к языковой модели")
]


@router.post(
    "/recommendations/analyze-by-date-range",
    summary="Conclusions of a period",
    responses=problems(400, 404, 502),
)
async def conclude_period(
    app: App,
    who: Who,
    client_id: ClinicId,
    start_date_str: FirstDay,
    end_date_str: LastDay,
    force_refresh: Refresh = False,
) -> PeriodAnswer:
    """Stored ones at once, else one request to the model; then the export to the boards follows.

    A period without scored calls gives an empty list and says so; nothing is stored then.
    """
    who.require(client_id)
    days = parse_range(start_date_str, end_date_str)
    made = await app.period_conclusions.weekly(client_id, days, force_refresh=force_refresh)
    await _note(who, made)
    return period_answer(made)


@router.get(
    "/analyze-recommendations",
    summary="Conclusions of a period (second name)",
    responses=problems(400, 404, 502),
)
async def read_period(
    app: App,
    who: Who,
    client_id: ClinicId,
    start_date_str: FirstDay,
    end_date_str: LastDay,
    force_refresh: Refresh = False,
) -> PeriodAnswer:
    """As POST recommendations/analyze-by-date-range; a reading key gets stored conclusions only."""
    who.require(client_id)
    days = parse_range(start_date_str, end_date_str)
    if who.grant.may_write:
        return await conclude_period(
            app, who, client_id, start_date_str, end_date_str, force_refresh
        )
    stored = (await app.period_conclusions.state(client_id, days)).stored
    if stored is None or force_refresh:
        raise ForbiddenError("Ключ только для чтения: выводы сделает ключ для записи")
    await _note(who, stored)
    return period_answer(stored)


@router.post(
    "/recommendations/analyze-monthly",
    summary="Conclusions of a month",
    responses=problems(404, 502),
)
async def conclude_month(
    app: App,
    who: Who,
    client_id: ClinicId,
    year: Annotated[int, Query(ge=2000, le=2100, examples=[2026])],
    month: Annotated[int, Query(ge=1, le=12, examples=[11])],
    force_refresh: Refresh = False,
) -> MonthAnswer:
    """From the stored conclusions of the weeks that begin in the month."""
    who.require(client_id)
    made = await app.period_conclusions.monthly(client_id, year, month, force_refresh=force_refresh)
    await _note(who, made)
    return month_answer(made)


@router.get(
    "/recommendations/analyze-by-date-range-status",
    summary="Whether a period has conclusions",
    response_model=ConclusionsStatus,
    response_model_exclude_unset=True,
    responses=problems(400, 404),
)
async def conclusions_state(
    app: App, who: Who, client_id: ClinicId, start_date_str: FirstDay, end_date_str: LastDay
) -> ConclusionsStatus:
    """completed: stored; pending: nobody has asked yet; no_data: there is nothing to conclude."""
    who.require(client_id)
    days = parse_range(start_date_str, end_date_str)
    return status_answer(await app.period_conclusions.state(client_id, days))


async def _note(who: Visitor, made: Conclusions) -> None:
    if not made.is_empty:
        period = f"conclusions {made.first.isoformat()} {made.last.isoformat()}"
        await who.opens(Opened.ANALYSIS, period, made.client_id)
