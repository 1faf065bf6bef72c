"""Rows of call_criteria_metrics (contract 3)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from medai.calls.models import Analysis, Call
from medai.metrics.names import named_scores
from medai.metrics.rows import CriterionRow
from medai.metrics.selection import Labels, exported, labels_of


def criterion_rows(calls: Iterable[Call]) -> list[CriterionRow]:
    """One row per day, combination of labels and criterion, sorted by them.

    Zeros count; a score of None means that the criterion did not apply to the call, so the call
    is left out of that criterion's count.
    """
    tally = CriterionTally()
    for call, analysis in exported(calls):
        tally.add(labels_of(call, analysis), analysis)
    return list(tally.rows())


_NOTHING = (0, 0)


class CriterionTally:
    """The same of calls that are given one by one, in any order."""

    def __init__(self) -> None:
        self._sums: defaultdict[Labels, dict[str, tuple[int, int]]] = defaultdict(dict)
        """By criterion: the sum of its scores and their number."""

    def add(self, labels: Labels, analysis: Analysis) -> None:
        """Count the scores of a call that boards show."""
        sums = self._sums[labels]
        for name, score in named_scores(analysis.scores):
            total, count = sums.get(name, _NOTHING)
            sums[name] = total + score, count + 1

    def rows(self) -> Iterator[CriterionRow]:
        """See `criterion_rows`."""
        for labels, sums in sorted(self._sums.items()):
            for name, (points, count) in sorted(sums.items()):
                total = Decimal(points)
                yield CriterionRow(*labels, name, total, count, total / count)
