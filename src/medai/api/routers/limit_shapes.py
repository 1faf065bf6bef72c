"""Answers of the limit routes: seconds of ours as minutes with 2 decimals (contract 5.6)."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from medai.limits.changes import Changed
from medai.limits.state import LimitState, PeriodState

_ID = "0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"


class ClinicMinutes(BaseModel):
    """The month of one clinic. `reserved_minutes` are held by calls under way."""

    client_id: str = Field(examples=[_ID])
    name: str = Field(examples=["Альфа Дент"])
    monthly_limit_minutes: float = Field(examples=[3000])
    current_month_minutes: float = Field(examples=[412.35])
    remaining_minutes: float = Field(examples=[2587.65])
    usage_percent: float = Field(examples=[13.75])
    reserved_minutes: float = Field(examples=[0])


class AllLimits(BaseModel):
    """The clinics that the key sees, and their sums."""

    clinics: list[ClinicMinutes]
    total_limit_minutes: float = Field(examples=[3000])
    total_used_minutes: float = Field(examples=[412.35])
    total_remaining_minutes: float = Field(examples=[2587.65])


class Warned(BaseModel):
    """A share of a limit that was reached."""

    period: str = Field(examples=["month"])
    percent: int = Field(examples=[80])
    at: datetime


class ShownLimits(BaseModel):
    """Contract 5.6, and below it what is ours.

    `runs_out_at` null: at the present pace the minutes last until the period ends.
    """

    client_id: str = Field(examples=[_ID])
    clinic_name: str = Field(examples=["Альфа Дент"])
    monthly_limit_minutes: float = Field(examples=[3000])
    current_month_minutes: float = Field(examples=[412.35])
    remaining_minutes: float = Field(examples=[2587.65])
    usage_percent: float = Field(examples=[13.75])
    weekly_limit_minutes: float = Field(examples=[750])
    current_week_minutes: float = Field(examples=[98.2])
    weekly_remaining_minutes: float = Field(examples=[651.8])
    weekly_usage_percent: float = Field(examples=[13.09])
    last_reset_date: datetime = Field(description="начало месяца по часам клиники")
    last_week_reset_date: datetime = Field(description="понедельник по часам клиники")
    reserved_minutes: float = Field(description="держат звонки в работе", examples=[0])
    next_reset_date: datetime
    next_week_reset_date: datetime
    runs_out_at: datetime | None
    week_runs_out_at: datetime | None
    warnings: list[Warned]
    timezone: str = Field(examples=["Europe/Moscow"])


class LimitsSetAnswer(BaseModel):
    success: bool
    message: str
    monthly_limit_minutes: float = Field(examples=[3000])
    current_usage_minutes: float = Field(examples=[412.35])


class ResetAnswer(BaseModel):
    success: bool
    message: str
    reset_date: datetime


class AddedAnswer(BaseModel):
    """The answer of the old service function."""

    success: bool
    clinic_name: str = Field(examples=["Альфа Дент"])
    minutes_added: float = Field(examples=[300])
    previous_limit: float = Field(examples=[3000])
    new_limit: float = Field(examples=[3300])
    current_usage: float = Field(examples=[412.35])
    remaining_minutes: float = Field(examples=[2887.65])


def minutes(seconds: int) -> float:
    """Minutes with 2 decimals."""
    return round(seconds / 60, 2)


def of_all(states: Sequence[LimitState]) -> AllLimits:
    """All the clinics and the sums of what is exact: their seconds."""
    months = [state.month for state in states]
    return AllLimits(
        clinics=[_clinic(state) for state in states],
        total_limit_minutes=minutes(sum(month.limit_seconds for month in months)),
        total_used_minutes=minutes(sum(month.used_seconds for month in months)),
        total_remaining_minutes=minutes(sum(_left(month) for month in months)),
    )


def shown(state: LimitState) -> ShownLimits:
    """The limits of one clinic; moments on its own clock."""
    month, week, tz = state.month, state.week, state.tz
    return ShownLimits(
        client_id=state.client_id,
        clinic_name=state.clinic_name,
        monthly_limit_minutes=minutes(month.limit_seconds),
        current_month_minutes=minutes(month.used_seconds),
        remaining_minutes=minutes(_left(month)),
        usage_percent=round(month.percent, 2),
        weekly_limit_minutes=minutes(week.limit_seconds),
        current_week_minutes=minutes(week.used_seconds),
        weekly_remaining_minutes=minutes(_left(week)),
        weekly_usage_percent=round(week.percent, 2),
        last_reset_date=month.started_at.astimezone(tz),
        last_week_reset_date=week.started_at.astimezone(tz),
        reserved_minutes=minutes(month.held_seconds),
        next_reset_date=month.resets_at.astimezone(tz),
        next_week_reset_date=week.resets_at.astimezone(tz),
        runs_out_at=month.runs_out_at and month.runs_out_at.astimezone(tz),
        week_runs_out_at=week.runs_out_at and week.runs_out_at.astimezone(tz),
        warnings=[
            Warned(period=each.period, percent=each.percent, at=each.at)
            for each in (*month.warnings, *week.warnings)
        ],
        timezone=tz.key,
    )


def added(changed: Changed, seconds: int) -> AddedAnswer:
    """The limit before is what it is now without the minutes: nobody came between."""
    month = changed.state.month
    return AddedAnswer(
        success=True,
        clinic_name=changed.state.clinic_name,
        minutes_added=minutes(seconds),
        previous_limit=minutes(month.limit_seconds - seconds),
        new_limit=minutes(month.limit_seconds),
        current_usage=minutes(month.used_seconds),
        remaining_minutes=minutes(_left(month)),
    )


def _clinic(state: LimitState) -> ClinicMinutes:
    month = state.month
    return ClinicMinutes(
        client_id=state.client_id,
        name=state.clinic_name,
        monthly_limit_minutes=minutes(month.limit_seconds),
        current_month_minutes=minutes(month.used_seconds),
        remaining_minutes=minutes(_left(month)),
        usage_percent=round(month.percent, 2),
        reserved_minutes=minutes(month.held_seconds),
    )


def _left(period: PeriodState) -> int:
    """The limit without what is used, as old clients compute it; what is held is told apart."""
    return max(0, period.limit_seconds - period.used_seconds)
