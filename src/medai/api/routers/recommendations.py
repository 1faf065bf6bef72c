"""Conclusions of weeks and months (contract 1.3, 7)."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.access.audit import Opened
from medai.analysis.recommendations.models import Conclusions
from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.parameters import ClinicId, FirstDay, LastDay
from medai.errors import ForbiddenError
from medai.kit.days import parse_range
from medai.processing.period_conclusions import ConclusionsState

router = APIRouter(tags=["recommendations"])

_MONTHS = (
    "Январь", "Февраль", "Март", "Апрель", "Май", "Июнь",
    "Июль", "Август", "Сентябрь", "Октябрь", "Ноябрь", "Декабрь",
)  # fmt: skip
_READY = "Рекомендации готовы"
_NO_DATA = "Нет данных за период"

Refresh = Annotated[
    bool, Query(description="сделать выводы заново: платный запрос к языковой модели")
]


class ConclusionsData(BaseModel):
    """What is concluded."""

    summary_points: list[str] = Field(
        examples=[["Администраторы тепло приветствуют пациентов"]],
        description="до десяти пунктов; пусто, когда данных нет",
    )
    overall_summary: str = Field(
        examples=["Разобрано звонков: 42.\n\n## Общие выводы\n…"], description="markdown"
    )


class PeriodAnswer(BaseModel):
    """Answer of analyze-by-date-range. As in the old system there is no `success` key."""

    message: str = Field(examples=[_READY])
    data: ConclusionsData


class MonthAnswer(PeriodAnswer):
    """Answer of analyze-monthly."""

    period: str = Field(examples=["Ноябрь 2026"])
    period_type: Literal["monthly"] = "monthly"


class ConclusionsStatus(BaseModel):
    """Whether conclusions of exactly these days are stored."""

    overall_status: Literal["completed", "no_data", "pending"]
    summary_analyze_status: Literal["success", "not_applicable", "pending"]
    has_cached_result: bool
    analysis_available: bool
    cache_created_at: datetime | None = Field(
        None, description="когда сделаны выводы; только при completed"
    )
    calls_with_recommendations: int | None = Field(
        None, examples=[42], description="из скольких звонков можно сделать выводы; без выводов"
    )
    message: str | None = Field(None, examples=[_NO_DATA])


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
    return PeriodAnswer(message=_message(made), data=_data(made))


@router.get(
    "/analyze-recommendations",
    summary="Conclusions of a period (README's name)",
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
    return PeriodAnswer(message=_READY, data=_data(stored))


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
    period = f"{_MONTHS[month - 1]} {year}"
    return MonthAnswer(message=_message(made), period=period, data=_data(made))


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
    return _status(await app.period_conclusions.state(client_id, days))


async def _note(who: Visitor, made: Conclusions) -> None:
    if not made.is_empty:
        period = f"conclusions {made.first.isoformat()} {made.last.isoformat()}"
        await who.opens(Opened.ANALYSIS, period, made.client_id)


def _message(made: Conclusions) -> str:
    return _NO_DATA if made.is_empty else _READY


def _data(made: Conclusions) -> ConclusionsData:
    return ConclusionsData(
        summary_points=list(made.summary_points), overall_summary=made.overall_summary
    )


def _status(state: ConclusionsState) -> ConclusionsStatus:
    if state.stored is not None:
        return ConclusionsStatus(
            overall_status="completed",
            summary_analyze_status="success",
            has_cached_result=True,
            analysis_available=True,
            cache_created_at=state.stored.created_at,
        )
    return ConclusionsStatus(
        overall_status="pending" if state.calls else "no_data",
        summary_analyze_status="pending" if state.calls else "not_applicable",
        has_cached_result=False,
        analysis_available=False,
        calls_with_recommendations=state.calls,
        message="Выводы ещё не сделаны: запустите анализ рекомендаций" if state.calls else _NO_DATA,
    )
