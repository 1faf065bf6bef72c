"""Rows of call_criteria_metrics (contract 3)."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from medai.calls.models import Call
from medai.metrics.names import named_scores
from medai.metrics.rows import CriterionRow
from medai.metrics.selection import Labels, exported, labels_of


def criterion_rows(calls: Iterable[Call]) -> list[CriterionRow]:
    """One row per day, combination of labels and criterion, sorted by them.

    Zeros count; a score of None means that the criterion did not apply to the call, so the call
    is left out of that criterion's count.
    """
    scores: defaultdict[tuple[Labels, str], list[int]] = defaultdict(list)
    for call, analysis in exported(calls):
        labels = labels_of(call, analysis)
        for name, score in named_scores(analysis.scores):
            scores[labels, name].append(score)
    return [_row(*key, scores[key]) for key in sorted(scores)]


def _row(labels: Labels, criterion: str, scores: list[int]) -> CriterionRow:
    total = Decimal(sum(scores))
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
        scored_calls_count=len(scores),
        avg_score=total / len(scores),
    )
