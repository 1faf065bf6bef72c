"""Which criteria of an administrator stand out, and which calls may show it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from medai.analysis.criteria import DEFINITIONS
from medai.analysis.models import CallAnalysis, CriterionScore
from medai.calls.models import Call
from medai.metrics.names import criterion_name, in_display_order
from medai.reports.people.models import ENOUGH_CALLS, Quote, Verdict
from medai.reports.places import Places

_VERDICTS = 2
_CANDIDATES = 3
"""Calls looked at for a quote: a score may lack evidence, three in a row hardly ever do."""
_NOT_SAID = frozenset(each.key for each in DEFINITIONS if each.decided_by_crm)
"""The CRM's facts: nobody said them, so they praise nobody."""
_Scored = tuple[int, Call]


@dataclass(frozen=True, slots=True)
class Standing:
    """A criterion of one administrator with the calls that may show it, the most telling first."""

    key: str
    mean: float
    calls: int
    candidates: tuple[Call, ...]


def strongest(calls: Iterable[Call]) -> tuple[Standing, ...]:
    """The criteria with the highest means, best first."""
    ranked = _ranked(calls)
    return tuple(
        _standing(key, scored, best=True) for _, key, scored in ranked[: _share(len(ranked))]
    )


def weakest(calls: Iterable[Call]) -> tuple[Standing, ...]:
    """The criteria with the lowest means, worst first; never one that is among the strongest."""
    ranked = _ranked(calls)
    taken = min(_VERDICTS, len(ranked) - _share(len(ranked)))
    worst = ranked[len(ranked) - taken :]
    return tuple(_standing(key, scored, best=False) for _, key, scored in reversed(worst))


def verdict(standing: Standing, analyses: Mapping[str, CallAnalysis], places: Places) -> Verdict:
    """The standing with the first candidate's words; a comment has to do when nobody has any."""
    found = [
        (call, score)
        for call in standing.candidates
        if (score := _score_of(analyses.get(call.id), standing.key)) is not None
    ]
    found.sort(key=lambda pair: (not pair[1].evidence, not pair[1].comment))
    quote = _quote(*found[0], places) if found else None
    return Verdict(criterion_name(standing.key), standing.mean, standing.calls, quote)


def _ranked(calls: Iterable[Call]) -> list[tuple[float, str, list[_Scored]]]:
    """Criteria with enough scores, the best mean first, equal ones in the order of display."""
    scored: defaultdict[str, list[_Scored]] = defaultdict(list)
    for call in calls:
        for key, score in call.analysis.scores.items() if call.analysis else ():
            if score is not None and key not in _NOT_SAID:
                scored[key].append((score, call))
    enough = [key for key in in_display_order(scored) if len(scored[key]) >= ENOUGH_CALLS]
    means = [(fmean(score for score, _ in scored[key]), key, scored[key]) for key in enough]
    return sorted(means, key=lambda one: -one[0])


def _share(count: int) -> int:
    """Of few criteria the better half is strong: none is both."""
    return min(_VERDICTS, (count + 1) // 2)


def _standing(key: str, scored: Sequence[_Scored], *, best: bool) -> Standing:
    telling = sorted(scored, key=lambda one: (-one[0] if best else one[0], one[1].id))
    return Standing(
        key,
        fmean(score for score, _ in scored),
        len(scored),
        tuple(call for _, call in telling[:_CANDIDATES]),
    )


def _score_of(analysis: CallAnalysis | None, key: str) -> CriterionScore | None:
    found = (one for one in analysis.criteria if one.key == key) if analysis else ()
    return next((one for one in found if one.score is not None), None)


def _quote(call: Call, score: CriterionScore, places: Places) -> Quote:
    proof = score.evidence[0] if score.evidence else None
    at: datetime = call.started_at.astimezone(places.zone(call))
    return Quote(
        text=" ".join(proof.quote.split()) if proof else "",
        comment=score.comment.strip(),
        at=at,
        start_ms=proof.start_ms if proof else None,
        call_type=call.analysis.call_type if call.analysis else "",
        score=score.score or 0,
        url=places.transcript_url(call),
    )
