"""Criterion scores by call type and ISO week (contract 8.1, section 2)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from statistics import fmean

from medai.calls.models import Analysis, Call
from medai.kit.days import week_start
from medai.metrics.names import criterion_name, in_display_order
from medai.reports.models import CriteriaSection, OverallWeek, WeekScores

Scored = tuple[date, Analysis]
"""Monday of the call's week, and its scores."""


def criteria_sections(calls: Iterable[Call]) -> tuple[CriteriaSection, ...]:
    """One section per call type with criteria, in the order of type ids."""
    scored = [
        (week_start(call.business_day), call.analysis)
        for call in calls
        if call.analysis and call.analysis.scores
    ]
    scored.sort(key=lambda item: item[1].call_type_id)
    by_type = groupby(scored, key=lambda item: item[1].call_type_id)
    return tuple(_section(list(members)) for _, members in by_type)


def overall_weeks(calls: Iterable[Call]) -> tuple[OverallWeek, ...]:
    """Weeks with analysed calls in order, with the mean of their overall scores."""
    by_week: defaultdict[date, list[Analysis]] = defaultdict(list)
    for call in calls:
        if call.analysis:
            by_week[week_start(call.business_day)].append(call.analysis)
    return tuple(
        OverallWeek(monday, len(analyses), _overall(analyses))
        for monday, analyses in sorted(by_week.items(), key=lambda item: item[0])
    )


def _section(members: Sequence[Scored]) -> CriteriaSection:
    first = min((analysis for _, analysis in members), key=lambda one: one.analysed_at)
    keys = in_display_order(key for _, analysis in members for key in analysis.scores)
    ordered = sorted(members, key=lambda item: item[0])
    weeks = groupby(ordered, key=lambda item: item[0])
    return CriteriaSection(
        call_type=first.call_type,
        calls=len(members),
        criteria=tuple(criterion_name(key) for key in keys),
        means=_means([analysis for _, analysis in members], keys),
        overall=_overall(analysis for _, analysis in members),
        weeks=tuple(_week(monday, [one for _, one in items], keys) for monday, items in weeks),
    )


def _week(monday: date, analyses: Sequence[Analysis], keys: Sequence[str]) -> WeekScores:
    return WeekScores(
        monday=monday,
        calls=len(analyses),
        means=_means(analyses, keys),
        overall=_overall(analyses),
    )


def _means(analyses: Sequence[Analysis], keys: Sequence[str]) -> tuple[float | None, ...]:
    return tuple(_mean([one.scores.get(key) for one in analyses]) for key in keys)


def _overall(analyses: Iterable[Analysis]) -> float | None:
    """Mean of the overall scores; 0 means "not scored" (contract 8)."""
    scored = [one.overall for one in analyses if one.overall]
    return fmean(scored) if scored else None


def _mean(scores: Iterable[int | None]) -> float | None:
    applicable = [score for score in scores if score is not None]
    return fmean(applicable) if applicable else None
