"""Rows of call_funnel_metrics: where calls are lost on their way to a booking."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medai.calls.models import Call, SkipReason
from medai.metrics.rows import FunnelRow
from medai.metrics.selection import ANALYSED, Labels, labels_of

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
        tally.add(call)
    return list(tally.rows())


class FunnelTally:
    """The same of calls that are given one by one, in any order."""

    def __init__(self) -> None:
        self._counts: defaultdict[Labels, _Counts] = defaultdict(_Counts)

    def add(self, call: Call) -> None:
        """Count a stored call, whatever became of it."""
        if call.skip_reason in _NO_CALLS:
            return
        analysis = call.analysis if call.stage in ANALYSED and call.transcript else None
        counts = self._counts[labels_of(call, analysis.call_type if analysis else "")]
        counts.total += 1
        counts.talks += call.skip_reason is None
        counts.transcribed += call.skip_reason is None and call.transcript is not None
        counts.scored += analysis is not None
        counts.booked += analysis is not None and call.converted

    def rows(self) -> Iterator[FunnelRow]:
        """See `funnel_rows`."""
        return (_row(labels, self._counts[labels]) for labels in sorted(self._counts))


def _row(labels: Labels, counts: _Counts) -> FunnelRow:
    return FunnelRow(
        metric_date=labels.metric_date,
        week_start_date=labels.week_start_date,
        client_id=labels.client_id,
        subdomain=labels.subdomain,
        administrator=labels.administrator,
        call_direction=labels.call_direction,
        source=labels.source,
        call_type=labels.call_type,
        total_calls=counts.total,
        talk_calls=counts.talks,
        transcribed_calls=counts.transcribed,
        scored_calls=counts.scored,
        booked_calls=counts.booked,
    )
