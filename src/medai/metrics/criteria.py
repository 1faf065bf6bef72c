"""Rows of call_criteria_metrics (contract 3)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from medai.calls.models import Analysis, Call
from medai.metrics.names import criterion_name
from medai.metrics.rows import CriterionRow
from medai.metrics.selection import Labels, exported, labels_of


def criterion_rows(calls: Iterable[Call]) -> list[CriterionRow]:
    """One row per day, combination of labels and criterion, sorted by them.

    Zeros count; a score of None means that the criterion did not apply to the call, so the call
    is left out of that criterion's count.
    """
    tally = CriterionTally()
    for call, analysis in exported(calls):
        tally.add(labels_of(call, analysis.call_type), analysis)
    return list(tally.rows())


class CriterionTally:
    """The same of calls that are given one by one, in any order."""

    def __init__(self) -> None:
        self._sums: defaultdict[Labels, dict[str, tuple[int, int]]] = defaultdict(dict)
        """By criterion: the sum of its scores and their number."""

    def add(self, labels: Labels, analysis: Analysis) -> None:
        """Count the scores of a call that boards show."""
        sums = self._sums[labels]
        for key, score in analysis.scores.items():
            if score is not None:
                name = criterion_name(key)
                total, count = sums.get(name, (0, 0))
                sums[name] = total + score, count + 1

    def rows(self) -> Iterator[CriterionRow]:
        """See `criterion_rows`."""
        for labels in sorted(self._sums):
            sums = self._sums[labels]
            for name in sorted(sums):
                yield _row(labels, name, *sums[name])


def _row(labels: Labels, criterion: str, points: int, count: int) -> CriterionRow:
    total = Decimal(points)
    return CriterionRow(
        metric_date=labels.metric_date,
        week_start_date=labels.week_start_date,
        client_id=labels.client_id,
        subdomain=labels.subdomain,
        administrator=labels.administrator,
        call_direction=labels.call_direction,
        source=labels.source,
        call_type=labels.call_type,
        criterion_name=criterion,
        total_score=total,
        scored_calls_count=count,
        avg_score=total / count,
    )
