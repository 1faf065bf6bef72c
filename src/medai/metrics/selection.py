"""Which calls count on the boards, and under which labels (contract 3, export rules)."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from medai.calls.models import Analysis, Call, Stage
from medai.kit.days import week_start

ANALYSED = (Stage.ANALYSED, Stage.EXPORTED)
"""Stages of calls whose analysis counts: one that is repeated or skipped is not among them."""


class Labels(NamedTuple):
    """The columns that tables of days begin with: the day, its week, the labels.

    A tuple, because a year of calls is counted and sorted by them. None is ever NULL.
    """

    metric_date: date
    week_start_date: date
    """Monday of the day's ISO week."""
    client_id: str
    subdomain: str
    administrator: str
    call_direction: str
    source: str
    call_type: str


def scored(call: Call) -> Analysis | None:
    """The analysis that counts, of any type; the stage is past it and there is a transcript."""
    return call.analysis if call.stage in ANALYSED and call.transcript else None


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


def labels_of(call: Call, analysis: Analysis | None) -> Labels:
    """Where the call is counted: its own business day and its data values."""
    return Labels(
        metric_date=call.business_day,
        week_start_date=week_start(call.business_day),
        client_id=call.client_id,
        subdomain=call.subdomain,
        administrator=call.administrator,
        call_direction=call.direction.label,
        source=call.source,
        call_type=analysis.call_type if analysis else "",
    )
