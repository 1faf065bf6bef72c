"""Rows of daily_summary_metrics: formulas of contract 3, exact in `Decimal`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from medai.calls.models import Analysis, Call
from medai.metrics.rows import DailyRow
from medai.metrics.selection import Labels, exported, labels_of

_FG_POINTS = Decimal(10)
"""A score of 0-10 becomes a percentage: (total / count) / 10 * 100."""


@dataclass(slots=True)
class _Sums:
    calls: int = 0
    converted: int = 0
    seconds: int = 0
    score: Decimal = field(default_factory=Decimal)
    scored: int = 0
    speed: int = 0
    with_speed: int = 0

    def add(self, call: Call, analysis: Analysis) -> None:
        self.calls += 1
        self.converted += call.converted
        self.seconds += call.duration_seconds
        if analysis.overall != 0:
            self.score += Decimal(str(analysis.overall))
            self.scored += 1
        if call.processing_speed_minutes != 0:
            self.speed += call.processing_speed_minutes
            self.with_speed += 1


def daily_rows(calls: Iterable[Call]) -> list[DailyRow]:
    """One row per day and combination of labels, sorted by labels.

    A score of 0 is "not scored" and a speed of 0 "unknown": neither counts (contract 3). The
    averages of nothing are None.
    """
    tally = DailyTally()
    for call, analysis in exported(calls):
        tally.add(labels_of(call, analysis), call, analysis)
    return list(tally.rows())


class DailyTally:
    """The same of calls that are given one by one, in any order."""

    def __init__(self) -> None:
        self._sums: defaultdict[Labels, _Sums] = defaultdict(_Sums)

    def add(self, labels: Labels, call: Call, analysis: Analysis) -> None:
        """Count a call that boards show."""
        self._sums[labels].add(call, analysis)

    def rows(self) -> Iterator[DailyRow]:
        """See `daily_rows`."""
        return (_row(labels, sums) for labels, sums in sorted(self._sums.items()))


def _row(labels: Labels, sums: _Sums) -> DailyRow:
    fg = _mean(sums.score, sums.scored)
    return DailyRow(
        *labels,
        total_calls=sums.calls,
        converted_calls=sums.converted,
        conversion_rate=Decimal(sums.converted) / sums.calls,
        total_duration_seconds=sums.seconds,
        avg_duration_seconds=Decimal(sums.seconds) / sums.calls,
        total_overall_score=sums.score,
        scored_calls_count=sums.scored,
        fg_percent=None if fg is None else fg * _FG_POINTS,
        total_processing_speed_minutes=Decimal(sums.speed),
        calls_with_processing_speed_count=sums.with_speed,
        avg_processing_speed_minutes=_mean(Decimal(sums.speed), sums.with_speed),
    )


def _mean(total: Decimal, count: int) -> Decimal | None:
    return total / count if count else None
