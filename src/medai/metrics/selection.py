"""Which calls count on the boards, and under which labels (contract 3, export rules)."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from medai.calls.models import Analysis, Call, Stage
from medai.kit.days import week_start

ANALYSED = (Stage.ANALYSED, Stage.EXPORTED)
"""Stages of calls whose analysis counts: one that is repeated or skipped is not among them."""


class Labels(NamedTuple):
    """The seven label columns shared by the daily and the criteria table. None is ever NULL.

    A tuple, because a year of calls is counted and sorted by them.
    """

    metric_date: date
    client_id: str
    subdomain: str
    administrator: str
    call_direction: str
    source: str
    call_type: str

    @property
    def week_start_date(self) -> date:
        """Monday of the day's ISO week."""
        return week_start(self.metric_date)


def shown(call: Call) -> Analysis | None:
    """The analysis of a call that boards show: transcribed, with recommendations and a type.

    Type `другое` and calls without analysis are therefore invisible (contract 3).
    """
    analysis = call.analysis
    visible = call.transcript and analysis and analysis.recommendations and analysis.call_type
    return analysis if visible else None


def exported(calls: Iterable[Call]) -> Iterator[tuple[Call, Analysis]]:
    """Those of the calls that boards show."""
    for call in calls:
        if analysis := shown(call):
            yield call, analysis


def labels_of(call: Call, call_type: str) -> Labels:
    """Where the call is counted: its own business day and its data values."""
    return Labels(
        metric_date=call.business_day,
        client_id=call.client_id,
        subdomain=call.subdomain,
        administrator=call.administrator,
        call_direction=call.direction.label,
        source=call.source,
        call_type=call_type,
    )
