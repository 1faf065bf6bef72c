"""What the report of administrators says, as frozen plain data (contract 8.3)."""

from dataclasses import dataclass
from datetime import date, datetime

from medai.reports.models import Group, KeyFigures, ReportContent

ENOUGH_CALLS = 5
"""Fewer scored calls say nothing about a person: neither a verdict nor a point of a trend."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What was said in one call: the administrator's own words, or what the assessor found.

    `text` is verbatim, empty when the criterion is about something that was not said; then the
    `comment` tells. `at` is on the clinic's wall clock, `start_ms` counts from the recording's
    start. `url` opens the transcript.
    """

    text: str
    comment: str
    at: datetime
    start_ms: int | None
    call_type: str
    score: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A criterion that stands out: mean (0-10) of `calls` scores, with one telling call."""

    criterion: str
    mean: float
    calls: int
    quote: Quote | None


@dataclass(frozen=True, slots=True)
class WeekTrend:
    """One ISO week of one administrator. `overall` is None below `ENOUGH_CALLS` scored calls."""

    monday: date
    calls: int
    converted: int
    overall: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """One administrator. `strongest` and `weakest` are empty below `ENOUGH_CALLS` scored calls."""

    group: Group
    previous: KeyFigures | None
    weeks: tuple[WeekTrend, ...]
    strongest: tuple[Verdict, ...]
    weakest: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class PeopleContent:
    """The figures of everybody together, then each administrator in the same order."""

    report: ReportContent
    profiles: tuple[Profile, ...]
