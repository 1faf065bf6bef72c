"""Rows of minute_quota_metrics: minutes of a clinic by month and week of its own zone."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from medai.clinics.models import Clinic
from medai.limits.periods import KINDS, Kind, end_of, start_of
from medai.limits.state import PeriodState, state_of
from medai.metrics.rows import QuotaRow

_DAY = timedelta(days=1)


def quota_rows(clinic: Clinic, now: datetime) -> list[QuotaRow]:
    """The present month and week, as the quota counts them."""
    state = state_of(clinic, now)
    return [_row(clinic, period, state.tz) for period in (state.month, state.week)]


def past_quota_rows(clinic: Clinic, now: datetime) -> list[QuotaRow]:
    """The month and week before, summed over the days that the quota remembers (35).

    What was used after the last export of a period is known only afterwards. Nothing was
    remembered: no row. The limit is today's: a row that exists keeps its own.
    """
    return [row for row in _past(clinic, now) if row.used_seconds]


def _past(clinic: Clinic, now: datetime) -> Iterator[QuotaRow]:
    present = {row.period_type: row for row in quota_rows(clinic, now)}
    used = {date.fromisoformat(day): seconds for day, seconds in clinic.limits.days.items()}
    for kind in KINDS:
        last = present[kind].period_start - _DAY
        first = last.replace(day=1) if kind == "month" else last - 6 * _DAY
        yield QuotaRow(
            client_id=clinic.client_id,
            clinic_name=clinic.name,
            period_type=kind,
            period_start=first,
            period_end=last,
            used_seconds=sum(n for day, n in used.items() if first <= day <= last),
            limit_seconds=present[kind].limit_seconds,
        )


def _row(clinic: Clinic, period: PeriodState, tz: ZoneInfo) -> QuotaRow:
    kind: Kind = period.kind
    return QuotaRow(
        client_id=clinic.client_id,
        clinic_name=clinic.name,
        period_type=kind,
        period_start=start_of(kind, period.key, tz).astimezone(tz).date(),
        period_end=end_of(kind, period.key, tz).astimezone(tz).date() - _DAY,
        used_seconds=period.used_seconds,
        limit_seconds=period.limit_seconds,
    )
