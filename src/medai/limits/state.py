"""A clinic's minutes as people read them: used, held, left, warned of and foretold. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from medai.clinics.models import Clinic, LimitWarning
from medai.clinics.zones import shown_zone
from medai.limits import quota, warnings
from medai.limits.forecast import forecast
from medai.limits.periods import Kind, end_of, start_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodState:
    """The month or the week of a clinic. Amounts are seconds, moments aware UTC.

    `left_seconds` is what a call may still reserve. `runs_out_at` None means enough until
    `resets_at`; `percent` is the settled share of the limit.
    """

    kind: Kind
    key: str
    limit_seconds: int
    used_seconds: int
    held_seconds: int
    left_seconds: int
    percent: float
    started_at: datetime
    resets_at: datetime
    runs_out_at: datetime | None
    warnings: tuple[LimitWarning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """What is known of a clinic's minutes at a moment. `tz` is the zone they are counted in."""

    client_id: str
    clinic_name: str
    tz: ZoneInfo
    month: PeriodState
    week: PeriodState
    topped_up_at: datetime | None


def state_of(clinic: Clinic, now: datetime) -> LimitState:
    """The state of a stored clinic at a moment."""
    tz = shown_zone(clinic)
    return LimitState(
        client_id=clinic.client_id,
        clinic_name=clinic.name,
        tz=tz,
        month=_period(clinic, "month", now, tz),
        week=_period(clinic, "week", now, tz),
        topped_up_at=clinic.limits.topped_up_at,
    )


def _period(clinic: Clinic, kind: Kind, now: datetime, tz: ZoneInfo) -> PeriodState:
    limits = quota.at(clinic.limits, now, tz)
    used, limit = quota.used_of(limits, kind), quota.limit_of(limits, kind)
    held = quota.held_seconds(limits)
    key = quota.period_key(limits, kind)
    return PeriodState(
        kind=kind,
        key=key,
        limit_seconds=limit,
        used_seconds=used,
        held_seconds=held,
        left_seconds=max(0, limit - used - held),
        percent=warnings.percent_used(used, limit),
        started_at=start_of(kind, key, tz),
        resets_at=end_of(kind, key, tz),
        runs_out_at=forecast(limits, now, tz).of(kind),
        warnings=tuple(w for w in warnings.present(limits, now, tz) if w.period == kind),
    )
