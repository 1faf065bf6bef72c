"""Scorecards of the call types: the period's mean and its course, then a column per ISO week."""

from collections.abc import Sequence
from datetime import timedelta

from medai.analysis.models import CallType
from medai.reports import format_ru as ru
from medai.reports.models import CriteriaSection, ReportContent, WeekScores
from medai.reports.pages.lines import spark
from medai.reports.pages.parts import Part, cell, label, score_tone, shown

_WEEKS_PER_PART = 6


def criteria_part(section: CriteriaSection, *, by_week: bool) -> Part:
    """One call type; many weeks continue in further parts of the same rows.

    Not by week there are no parts: the only week would repeat the period.
    """
    return {
        "title": label(f"{section.call_type[:1].upper()}{section.call_type[1:]}"),
        "calls": ru.calls(section.calls),
        "names": [shown(name) for name in section.criteria],
        "means": [
            {**cell(ru.decimal(mean), score_tone(mean)), "share": (mean or 0.0) / 10}
            for mean in section.means
        ],
        "sparks": [
            spark([week.means[index] for week in section.weeks])
            for index in range(len(section.criteria))
        ],
        "overall": cell(ru.decimal(section.overall), score_tone(section.overall)),
        "overall_spark": spark([week.overall for week in section.weeks]),
        "parts": [_part(section, start) for start in _starts(section.weeks)] if by_week else [],
    }


def criteria_note(content: ReportContent) -> str:
    """Why the call types below have fewer calls together than the report, when they have."""
    scored = sum(section.calls for section in content.criteria)
    if scored == content.current.calls:
        return ""
    total = ru.integer(content.current.calls)
    note = f"Критерии применены к {ru.to_calls(scored)} из {total}"
    return (
        f"{note}; звонки типа «другое» по ним не оцениваются." if has_other(content) else f"{note}."
    )


def has_other(content: ReportContent) -> bool:
    """Whether there are calls of the type that is neither scored nor advised."""
    return any(group.name == CallType.OTHER.label for group in content.call_types)


def _starts(weeks: Sequence[WeekScores]) -> range:
    return range(0, len(weeks), _WEEKS_PER_PART)


def _part(section: CriteriaSection, start: int) -> Part:
    weeks = section.weeks[start : start + _WEEKS_PER_PART]
    return {
        "weeks": [_heading(week) for week in weeks],
        "rows": [
            [cell(ru.decimal(week.means[index]), score_tone(week.means[index])) for week in weeks]
            for index in range(len(section.criteria))
        ],
        "overall": [cell(ru.decimal(week.overall), score_tone(week.overall)) for week in weeks],
        "calls": [cell(ru.integer(week.calls)) for week in weeks],
    }


def _heading(week: WeekScores) -> Part:
    sunday = week.monday + timedelta(days=6)
    return {
        "title": f"Неделя{ru.NBSP}{week.monday.isocalendar().week}",
        "dates": f"{ru.short_day(week.monday)}–{ru.short_day(sunday)}",
    }
