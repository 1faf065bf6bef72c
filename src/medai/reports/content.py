"""One report model for every renderer, built purely from calls (contract 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from medai.calls.models import Call
from medai.kit.days import DayRange
from medai.metrics.details import CallLinks
from medai.reports.advice import advice_by_administrator, common_advice
from medai.reports.figures import day_points, groups, heat_map, key_figures, named_days
from medai.reports.funnel import funnel, losses
from medai.reports.models import KeyFigures, ReportClinic, ReportContent
from medai.reports.places import Places
from medai.reports.scores import criteria_sections, overall_weeks

TITLE = "Отчёт по звонкам"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The calls of an earlier period that the figures are compared with."""

    calls: Sequence[Call]
    period: DayRange


def build_content(
    calls: Sequence[Call],
    period: DayRange,
    clinics: Sequence[ReportClinic],
    *,
    created_at: datetime,
    links: CallLinks,
    previous: Comparison | None = None,
    summary: str = "",
) -> ReportContent:
    """The report of the analysed calls whose business day lies in the period.

    Calls without analysis and calls of other days are left out; the order of `calls` does not
    matter. `clinics` must not be empty; a call of an unlisted clinic is read on the first one's
    wall clock. `created_at` is aware. `summary` is markdown.
    """
    chosen = analysed_in(calls, period)
    places = Places(clinics, links)
    advice = advice_by_administrator(chosen, links, places.zone, places.label)
    sources, call_types = groups(chosen, _source), groups(chosen, _call_type)
    return ReportContent(
        title=TITLE,
        clinic_names=tuple(clinic.name for clinic in clinics),
        period=period,
        created_at=created_at.astimezone(clinics[0].zone),
        current=key_figures(chosen),
        previous=_previous_figures(previous),
        previous_period=previous.period if previous else None,
        administrators=groups(chosen, lambda call: call.administrator, places.label),
        sources=sources,
        call_types=call_types,
        days=day_points(chosen, period),
        source_days=named_days(chosen, _source, sources, period),
        type_days=named_days(chosen, _call_type, call_types, period),
        weeks=overall_weeks(chosen),
        funnel=funnel(chosen),
        losses=losses(chosen),
        heat=heat_map(chosen, places.zone),
        criteria=criteria_sections(chosen),
        advice=advice,
        common_advice=common_advice(advice),
        summary=summary,
    )


def analysed_in(calls: Sequence[Call], period: DayRange) -> list[Call]:
    """The data set of a report (contract 8): scored calls of the period."""
    return [
        call for call in calls if call.analysis and period.first <= call.business_day <= period.last
    ]


def _source(call: Call) -> str:
    return call.source


def _call_type(call: Call) -> str:
    return call.analysis.call_type if call.analysis else ""


def _previous_figures(previous: Comparison | None) -> KeyFigures | None:
    if previous is None:
        return None
    calls = analysed_in(previous.calls, previous.period)
    return key_figures(calls) if calls else None
