"""Rows of call_funnel_metrics: where calls are lost on their way to a booking."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medai.calls.models import Analysis, Call, SkipReason
from medai.metrics.rows import FunnelRow
from medai.metrics.selection import Labels, labels_of, scored

_NO_CALLS = {SkipReason.DUPLICATE, SkipReason.NOTE_LINK, SkipReason.NOTE_MISSING}
"""Entries of the CRM that are the repetition of a call or none at all."""


@dataclass(slots=True)
class _Counts:
    total: int = 0
    talks: int = 0
    transcribed: int = 0
    scored: int = 0
    booked: int = 0


def funnel_rows(calls: Iterable[Call]) -> list[FunnelRow]:
    """One row per day and combination of labels, sorted by labels."""
    tally = FunnelTally()
    for call in calls:
        analysis = scored(call)
        tally.add(labels_of(call, analysis), call, analysis)
    return list(tally.rows())


class FunnelTally:
    """The same of calls that are given one by one, in any order."""

    def __init__(self) -> None:
        self._counts: defaultdict[Labels, _Counts] = defaultdict(_Counts)

    def add(self, labels: Labels, call: Call, analysis: Analysis | None) -> None:
        """Count a stored call, whatever became of it; its analysis if it is `scored`."""
        if call.skip_reason in _NO_CALLS:
            return
        counts = self._counts[labels]
        counts.total += 1
        counts.talks += call.skip_reason is None
        counts.transcribed += call.skip_reason is None and call.transcript is not None
        counts.scored += analysis is not None
        counts.booked += analysis is not None and call.converted

    def rows(self) -> Iterator[FunnelRow]:
        """See `funnel_rows`."""
        return (_row(labels, counts) for labels, counts in sorted(self._counts.items()))


def _row(labels: Labels, counts: _Counts) -> FunnelRow:
    return FunnelRow(
        *labels,
        total_calls=counts.total,
        talk_calls=counts.talks,
        transcribed_calls=counts.transcribed,
        scored_calls=counts.scored,
        booked_calls=counts.booked,
    )
