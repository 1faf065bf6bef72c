"""What digests say, as frozen plain data: numbers only, no formatted text.

Figures are those of reports (`KeyFigures`): fractions 0-1, FG 0-100, None for nothing to count.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from medai.digests.patients import PatientAlert
from medai.kit.days import DayRange
from medai.limits.state import LimitState
from medai.reports.models import FunnelStep, Group, KeyFigures


@dataclass(frozen=True, slots=True)
class MissedPatient:
    """A number that rang in vain and was not called back. `at` is the last attempt (UTC)."""

    phone: str
    at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Unanswered incoming calls of a day: how many, of how many numbers, who still waits."""

    calls: int
    patients: int
    waiting: tuple[MissedPatient, ...]

    @property
    def returned(self) -> int:
        """Numbers that were talked to afterwards."""
        return self.patients - len(self.waiting)


class Reason(StrEnum):
    """Why a call is worth hearing, in the order in which they are chosen."""

    LOST_PATIENT = "lost_patient"
    LOWEST = "lowest"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class WorthHearing:
    """A call to open. `quote` is verbatim, empty when only a `comment` stands beside the score
    (0-10) of the criterion that tells most; all three are empty without a stored proof. `missing`
    names criteria of which nothing was heard."""

    call_id: str
    reason: Reason
    at: datetime
    administrator: str
    call_type: str
    overall: float
    criterion: str = ""
    score: int | None = None
    quote: str = ""
    comment: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """Analysed calls of a period and how many of them ended in a booking."""

    calls: int
    converted: int

    @property
    def conversion(self) -> float | None:
        """As in reports: the share of analysed calls."""
        return self.converted / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """A clinic's yesterday. `calls` are all of the CRM without repetitions, `talks` those worth a
    transcript, `unfinished` those of them that are still being worked on."""

    client_id: str
    clinic_name: str
    tz: ZoneInfo
    day: date
    calls: int
    talks: int
    unfinished: int
    figures: KeyFigures
    week: Booked
    missed: Missed
    administrators: tuple[Group, ...]
    worth: tuple[WorthHearing, ...]
    limits: LimitState


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMorning:
    """An administrator's own yesterday. `week_fg` is the FG of the seven days before."""

    client_id: str
    clinic_name: str
    tz: ZoneInfo
    day: date
    administrator: str
    figures: KeyFigures
    week_fg: float | None
    worth: tuple[WorthHearing, ...]


@dataclass(frozen=True, slots=True)
class WeekOfTrend:
    """One Monday-Sunday week of the trend."""

    days: DayRange
    booked: Booked


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """A clinic's last week with the weeks before it (oldest first) and a picture (PNG)."""

    client_id: str
    clinic_name: str
    days: DayRange
    current: KeyFigures
    previous: KeyFigures | None
    trend: tuple[WeekOfTrend, ...]
    losses: tuple[FunnelStep, ...]
    administrators: tuple[Group, ...]
    chart: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientNotice:
    """A lost first-time patient as people see them: the alert's state and the call behind it."""

    alert: PatientAlert
    clinic_name: str
    tz: ZoneInfo
    call: WorthHearing
    seconds: int
    phone: str
