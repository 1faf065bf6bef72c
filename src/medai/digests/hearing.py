"""Which calls of a day are worth hearing, and the words that show why. Pure, deterministic."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from medai.analysis.criteria import DEFINITIONS
from medai.analysis.models import CallAnalysis, CriterionScore
from medai.calls.models import Analysis, Call
from medai.digests.models import Reason, WorthHearing
from medai.digests.patients import is_lost_patient
from medai.metrics.names import criterion_name

PRAISED_FROM = 7.0
"""Overall score (0-10) from which a call is an example for others."""
_CANDIDATES = 5
"""Calls looked at for one with a quote: a score may lack evidence, five in a row hardly ever do."""
_NOT_SAID = frozenset(each.key for each in DEFINITIONS if each.decided_by_crm)
"""The CRM's facts: nobody said them, so no quote shows them."""

Candidates = Mapping[Reason, Sequence[Call]]


def candidates(calls: Iterable[Call]) -> Candidates:
    """For each reason the calls that may be chosen, the most telling first, in any order of calls.

    A score that waits for a person's check (`needs_review`) neither shames nor praises.
    """
    known = [(call, call.analysis) for call in calls if call.analysis]
    sure = [(c, a) for c, a in known if a.overall and not a.needs_review]
    return {
        Reason.LOST_PATIENT: _first(
            ((c, a) for c, a in known if is_lost_patient(c)), lambda a: a.overall
        ),
        Reason.LOWEST: _first(
            ((c, a) for c, a in sure if a.overall < PRAISED_FROM), lambda a: a.overall
        ),
        Reason.BEST: _first(
            ((c, a) for c, a in sure if a.overall >= PRAISED_FROM), lambda a: -a.overall
        ),
    }


def asked_for(found: Candidates) -> list[str]:
    """Ids of the calls whose full analyses the quotes are taken from, each once."""
    return sorted({call.id for calls in found.values() for call in calls})


def worth_hearing(
    found: Candidates, analyses: Mapping[str, CallAnalysis]
) -> tuple[WorthHearing, ...]:
    """At most one call per reason, none twice; of the lowest ones the first with a quote."""
    chosen: list[WorthHearing] = []
    for reason in Reason:
        taken = {one.call_id for one in chosen}
        told = [
            told_of(call, reason, analyses.get(call.id))
            for call in found.get(reason, ())
            if call.id not in taken
        ]
        quoted = [one for one in told if one.quote] if reason is Reason.LOWEST else told
        chosen += (quoted or told)[:1]
    return tuple(chosen)


def _first(
    scored: Iterable[tuple[Call, Analysis]], rank: Callable[[Analysis], float]
) -> tuple[Call, ...]:
    def order(pair: tuple[Call, Analysis]) -> tuple[float, datetime, str]:
        return rank(pair[1]), pair[0].started_at, pair[0].id

    return tuple(call for call, _ in sorted(scored, key=order)[:_CANDIDATES])


def told_of(call: Call, reason: Reason, full: CallAnalysis | None) -> WorthHearing:
    """The call with the words of its full analysis that show the reason best."""
    proof = _proof(full, best=reason is Reason.BEST)
    evidence = proof.evidence[0] if proof and proof.evidence else None
    return WorthHearing(
        call_id=call.id,
        reason=reason,
        at=call.started_at,
        administrator=call.administrator,
        call_type=call.analysis.call_type if call.analysis else "",
        overall=call.analysis.overall if call.analysis else 0.0,
        criterion=criterion_name(proof.key) if proof else "",
        score=proof.score if proof else None,
        quote=" ".join(evidence.quote.split()) if evidence else "",
        comment=" ".join(proof.comment.split()) if proof else "",
        missing=_missing(full),
    )


def _missing(full: CallAnalysis | None) -> tuple[str, ...]:
    """Criteria without any point, in the scorecard's order: what there is no quote of."""
    absent = (one for one in (full.criteria if full else ()) if one.score == 0)
    return tuple(criterion_name(one.key) for one in absent if one.key not in _NOT_SAID)


def _proof(full: CallAnalysis | None, *, best: bool) -> CriterionScore | None:
    """The criterion that tells most: the lowest score (the highest when praising), quoted first."""
    scored = [
        (one.score, number, one)
        for number, one in enumerate(full.criteria if full else ())
        if one.score is not None and one.key not in _NOT_SAID
    ]
    scored = [one for one in scored if one[2].evidence] or scored
    if not scored:
        return None
    return min(scored, key=lambda one: (-one[0] if best else one[0], one[1]))[2]
