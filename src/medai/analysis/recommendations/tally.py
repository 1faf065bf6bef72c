"""Exact means over any number of calls or weeks, in constant memory. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from medai.analysis.recommendations.models import Conclusions, CriterionMean
from medai.analysis.scorecards import CRITERION_NAMES
from medai.calls.models import Analysis

_DIGITS = 1
"""Contract 7: one decimal."""


@dataclass(slots=True)
class Tally:
    """Sums of scores by criterion; a criterion that did not apply to a call is left out."""

    calls: int = 0
    sums: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, analysis: Analysis) -> None:
        """Count one call; one without criteria (type "другое") says nothing."""
        if not analysis.scores and not analysis.recommendations:
            return
        self.calls += 1
        for key, score in analysis.scores.items():
            if score is not None:
                self.sums[key] += score
                self.counts[key] += 1

    def means(self) -> tuple[CriterionMean, ...]:
        """The mean of each criterion, in order of display."""
        return tuple(
            CriterionMean(
                key=key,
                name=CRITERION_NAMES.get(key, key),
                score=round(self.sums[key] / self.counts[key], _DIGITS),
                count=self.counts[key],
            )
            for key in _in_order(self.counts)
        )


def means_of_weeks(weeks: Sequence[Conclusions]) -> tuple[CriterionMean, ...]:
    """The means of a month from those of its weeks, weighted by how often each was scored."""
    found: defaultdict[str, list[CriterionMean]] = defaultdict(list)
    for week in weeks:
        for mean in week.means:
            found[mean.key].append(mean)
    return tuple(_joined(found[key]) for key in _in_order(found))


def apart(weeks: Iterable[Conclusions]) -> tuple[Conclusions, ...]:
    """Periods that do not overlap, in order of time: whole ISO weeks first.

    Conclusions of any exact period are stored as weekly ones, and a day that stands in two of
    them must not count twice in the month.
    """
    chosen: list[Conclusions] = []
    for week in sorted(weeks, key=lambda each: (not _is_iso_week(each), each.first, each.last)):
        if all(week.last < other.first or other.last < week.first for other in chosen):
            chosen.append(week)
    return tuple(sorted(chosen, key=lambda each: each.first))


def _joined(means: Sequence[CriterionMean]) -> CriterionMean:
    count = sum(each.count for each in means)
    total = sum(each.score * each.count for each in means)
    return means[0].model_copy(
        update={
            "score": round(total / count, _DIGITS),
            "count": count,
            "weeks": tuple(each.score for each in means),
        }
    )


def _is_iso_week(week: Conclusions) -> bool:
    return week.first.weekday() == 0 and week.last - week.first == timedelta(days=6)


def _in_order(keys: Iterable[str]) -> list[str]:
    """Order of display; keys that no scorecard knows any more come last."""
    found = set(keys)
    known = [key for key in CRITERION_NAMES if key in found]
    return [*known, *sorted(found.difference(known))]
