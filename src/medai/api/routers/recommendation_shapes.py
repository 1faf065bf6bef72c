"""What the routes of conclusions answer with (contract 1.3)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from medai.analysis.recommendations.models import Conclusions
from medai.processing.period_conclusions import ConclusionsState

_MONTHS = (
    "Январь", "Февраль", "Март", "Апрель", "Май", "Июнь",
    "Июль", "Август", "Сентябрь", "Октябрь", "Ноябрь", "Декабрь",
)  # fmt: skip
_READY = "Рекомендации готовы"
_NO_DATA = "Нет данных за период"


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


def period_answer(made: Conclusions) -> PeriodAnswer:
    """Conclusions of any days."""
    return PeriodAnswer(message=_message(made), data=_data(made))


def month_answer(made: Conclusions) -> MonthAnswer:
    """Conclusions of a month."""
    period = f"{_MONTHS[made.first.month - 1]} {made.first.year}"
    return MonthAnswer(message=_message(made), period=period, data=_data(made))


def _message(made: Conclusions) -> str:
    return _NO_DATA if made.is_empty else _READY


def _data(made: Conclusions) -> ConclusionsData:
    return ConclusionsData(
        summary_points=list(made.summary_points), overall_summary=made.overall_summary
    )


def status_answer(state: ConclusionsState) -> ConclusionsStatus:
    """What is stored, or what there is to conclude from."""
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
