"""What a report says, as frozen plain data: numbers only, no formatted text.

Both renderers print exactly this, so a figure cannot differ between PDF and Excel. Fractions are
0-1, FG is 0-100, durations are seconds, speeds minutes. None means "nothing to compute from".
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from medai.kit.days import DayRange

WEEKDAYS = 7
HOURS = 24


class Chart(StrEnum):
    """The charts that can be had as pictures, for example for Telegram."""

    DAYS = "days"
    ADMINISTRATORS = "administrators"
    SOURCES = "sources"
    CALL_TYPES = "call_types"
    HEAT = "heat"
    WEEKS = "weeks"
    FUNNEL = "funnel"
    LOSSES = "losses"


@dataclass(frozen=True, slots=True)
class ReportClinic:
    """A clinic as a report knows it: its key, its name and its wall clock."""

    client_id: str
    name: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigures:
    """Figures of any set of analysed calls."""

    calls: int
    inbound: int
    outbound: int
    converted: int
    inbound_converted: int
    outbound_converted: int
    seconds: int
    score_sum: float
    scored: int
    speed_sum: int
    with_speed: int

    @property
    def average_seconds(self) -> float | None:
        """Mean length of a call."""
        return _ratio(self.seconds, self.calls)

    @property
    def conversion(self) -> float | None:
        """Share of calls that ended in a booking."""
        return _ratio(self.converted, self.calls)

    @property
    def inbound_conversion(self) -> float | None:
        """The same among incoming calls."""
        return _ratio(self.inbound_converted, self.inbound)

    @property
    def outbound_conversion(self) -> float | None:
        """The same among outgoing calls."""
        return _ratio(self.outbound_converted, self.outbound)

    @property
    def fg_percent(self) -> float | None:
        """sum(overall) / count(overall > 0) * 10 (contract 8)."""
        mean = _ratio(self.score_sum, self.scored)
        return None if mean is None else mean * 10

    @property
    def speed_minutes(self) -> float | None:
        """Mean processing speed of the calls where it is known and not 0 (contract 3)."""
        return _ratio(self.speed_sum, self.with_speed)


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one administrator, source or call type.

    `clinic` is filled for administrators when the report covers several clinics.
    """

    name: str
    figures: KeyFigures
    clinic: str = ""


@dataclass(frozen=True, slots=True)
class DayPoint:
    """One calendar day of the period, present even without calls."""

    day: date
    calls: int
    converted: int


@dataclass(frozen=True, slots=True)
class NamedDays:
    """Calls of one source or call type on each day of the period, days without calls included."""

    name: str
    calls: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OverallWeek:
    """Mean overall score of an ISO week, of every call type together."""

    monday: date
    calls: int
    overall: float | None


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many calls came at least this far."""

    name: str
    calls: int


@dataclass(frozen=True, slots=True)
class Losses:
    """What was missing in the calls that could have led to a booking and did not.

    A call may have several reasons, or none of the known ones (`unexplained`).
    """

    calls: int
    reasons: tuple[FunnelStep, ...]
    unexplained: int


@dataclass(frozen=True, slots=True)
class WeekScores:
    """Mean scores of one ISO week, in the order of the section's criteria."""

    monday: date
    calls: int
    means: tuple[float | None, ...]
    overall: float | None


@dataclass(frozen=True, slots=True)
class CriteriaSection:
    """The scorecard of one call type by week. `means` and `overall` are of the whole period."""

    call_type: str
    calls: int
    criteria: tuple[str, ...]
    means: tuple[float | None, ...]
    overall: float | None
    weeks: tuple[WeekScores, ...]


@dataclass(frozen=True, slots=True)
class CallAdvice:
    """The recommendations of one call. `at` is on the clinic's wall clock.

    Links are http(s) addresses or None.
    """

    call_id: str
    at: datetime
    call_type: str
    direction: str
    seconds: int
    overall: float
    converted: bool
    transcript_url: str | None
    recording_url: str | None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdministratorAdvice:
    """The advised calls of one administrator, oldest first."""

    name: str
    clinic: str
    calls: tuple[CallAdvice, ...]


@dataclass(frozen=True, slots=True)
class CommonAdvice:
    """A recommendation given to several administrators (contract 8.2)."""

    text: str
    administrators: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """One report: everything both renderers print.

    `heat` holds calls by weekday (Monday first) and hour of each clinic's own wall clock.
    `source_days` and `type_days` are in the order of `sources` and `call_types`. `funnel` is of
    first contacts, empty without them. `created_at` is on the first clinic's wall clock.
    `summary` is the period's conclusion in markdown, empty when there is none.
    """

    title: str
    clinic_names: tuple[str, ...]
    period: DayRange
    created_at: datetime
    current: KeyFigures
    previous: KeyFigures | None
    previous_period: DayRange | None
    administrators: tuple[Group, ...]
    sources: tuple[Group, ...]
    call_types: tuple[Group, ...]
    days: tuple[DayPoint, ...]
    source_days: tuple[NamedDays, ...]
    type_days: tuple[NamedDays, ...]
    weeks: tuple[OverallWeek, ...]
    funnel: tuple[FunnelStep, ...]
    losses: Losses
    heat: tuple[tuple[int, ...], ...]
    criteria: tuple[CriteriaSection, ...]
    advice: tuple[AdministratorAdvice, ...]
    common_advice: tuple[CommonAdvice, ...]
    summary: str = ""


def _ratio(total: float, count: int) -> float | None:
    return total / count if count else None
