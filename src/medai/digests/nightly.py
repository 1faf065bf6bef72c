"""The report of a night run to the people who keep the service (contract 10.1). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from medai.calls.models import Step
from medai.calls.standing import Standing
from medai.kit.days import DayRange

PATIENCE = timedelta(hours=12)
"""Clinics of all zones begin within 10 hours; a night that takes longer is told as it stands."""
LATEST = timedelta(hours=24)
"""A night that began earlier is no news any more."""


class NightState(StrEnum):
    """How a clinic's night ended; `RUNNING` goes on, `MISSING` never began."""

    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    RUNNING = "running"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicNight:
    """One clinic. `concluded` None: no conclusions were due. `limit_percent`: the highest share
    of its minutes that was warned of and still holds, 0 for none. `exported` None: not reached."""

    name: str
    state: NightState
    synced: int = 0
    transcribed: int = 0
    not_transcribed: int = 0
    analysed: int = 0
    not_analysed: int = 0
    concluded: bool | None = None
    exported: bool | None = None
    limit_percent: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """All clinics of a night. `finished_at` None: some of them are still at it."""

    days: DayRange
    started_at: datetime
    finished_at: datetime | None
    weekly: bool
    clinics: tuple[ClinicNight, ...]

    @property
    def good(self) -> int:
        """Clinics without any trouble."""
        return sum(one.state is NightState.DONE for one in self.clinics)

    @property
    def limits(self) -> int:
        """Clinics that were warned of their minutes."""
        return sum(one.limit_percent > 0 for one in self.clinics)

    @property
    def exported(self) -> bool:
        """Whether every clinic's figures reached PostgreSQL."""
        return all(one.exported for one in self.clinics)


@dataclass(slots=True)
class StepCounts:
    """How many calls came through the two paid steps, and how many failed for good."""

    transcribed: int = 0
    not_transcribed: int = 0
    analysed: int = 0
    not_analysed: int = 0


def step_counts(standings: Iterable[tuple[Standing, int]]) -> StepCounts:
    """Counts of calls that stand so; skipped ones take part in nothing."""
    counts = StepCounts()
    for standing, calls in standings:
        if standing.skip_reason is not None:
            continue
        counts.transcribed += calls * bool(standing.transcript)
        counts.analysed += calls * bool(standing.analysis)
        if not standing.transcript:
            counts.not_transcribed += calls * _failed(standing, Step.RECORDING, Step.TRANSCRIPTION)
        elif not standing.analysis:
            counts.not_analysed += calls * _failed(standing, Step.ANALYSIS)
    return counts


def is_over(ended: bool, started_at: datetime, now: datetime) -> bool:
    """Whether the night is told: when all have ended, or the patience has."""
    return now - started_at < LATEST and (ended or now - started_at >= PATIENCE)


def _failed(standing: Standing, *steps: Step) -> bool:
    failures = (standing.failures.get(step) for step in steps)
    return any(failure is not None and failure.next_try_at is None for failure in failures)
