"""A clinic's and an administrator's yesterday, built purely from calls."""

from collections.abc import Mapping, Sequence
from datetime import date

from medai.analysis.models import CallAnalysis
from medai.calls.life import is_settled
from medai.calls.models import UNKNOWN_ADMINISTRATOR, Call
from medai.clinics.models import Clinic
from medai.clinics.zones import shown_zone
from medai.digests.hearing import candidates, worth_hearing
from medai.digests.missed import missed_of
from medai.digests.models import Booked, Morning, OwnMorning
from medai.kit.days import DayRange
from medai.limits.state import LimitState
from medai.metrics.funnel import funnel_rows
from medai.metrics.selection import ANALYSED
from medai.reports.content import analysed_in
from medai.reports.figures import groups, key_figures


def analysed_on(calls: Sequence[Call], day: date) -> list[Call]:
    """The calls behind the day's figures: those of a report of this one day (contract 8)."""
    chosen = analysed_in(calls, DayRange(day, day))
    return [call for call in chosen if call.stage in ANALYSED]


def morning(
    clinic: Clinic,
    day: date,
    calls: Sequence[Call],
    *,
    week: Booked,
    analyses: Mapping[str, CallAnalysis],
    limits: LimitState,
) -> Morning:
    """The digest of the day. `calls` are those of the day and since, skipped ones included;
    `analyses` those of `hearing.asked_for`."""
    own = [call for call in calls if call.business_day == day]
    scored = analysed_on(own, day)
    rows = funnel_rows(own)
    return Morning(
        client_id=clinic.client_id,
        clinic_name=clinic.name,
        tz=shown_zone(clinic),
        day=day,
        calls=sum(row.total_calls for row in rows),
        talks=sum(row.talk_calls for row in rows),
        unfinished=sum(call.skip_reason is None and not is_settled(call) for call in own),
        figures=key_figures(scored),
        week=week,
        missed=missed_of(calls, day),
        administrators=groups(scored, lambda call: call.administrator),
        worth=worth_hearing(candidates(scored), analyses),
        limits=limits,
    )


def own_morning(
    clinic: Clinic,
    day: date,
    administrator: str,
    calls: Sequence[Call],
    *,
    week_fg: float | None,
    analyses: Mapping[str, CallAnalysis],
) -> OwnMorning:
    """The same for one administrator, from nobody else's calls."""
    own = own_calls(analysed_on(calls, day), administrator)
    return OwnMorning(
        client_id=clinic.client_id,
        clinic_name=clinic.name,
        tz=shown_zone(clinic),
        day=day,
        administrator=administrator,
        figures=key_figures(own),
        week_fg=week_fg,
        worth=worth_hearing(candidates(own), analyses),
    )


def own_calls(calls: Sequence[Call], administrator: str) -> list[Call]:
    """The calls of this name; nobody is nobody: unknown administrators are no one's own."""
    if administrator in ("", UNKNOWN_ADMINISTRATOR):
        return []
    return [call for call in calls if call.administrator == administrator]


def fg_of(overalls: Mapping[float | None, int]) -> float | None:
    """FG of calls counted by overall score; a score of 0 is "not scored" (contract 3)."""
    scored = {score: count for score, count in overalls.items() if score}
    count = sum(scored.values())
    return sum(score * n for score, n in scored.items()) / count * 10 if count else None
