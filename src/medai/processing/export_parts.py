"""Due days in parts that are read and written together: neither a query per day nor a huge one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from medai.calls.models import Call, Stage
from medai.datalens.days import DueDay
from medai.metrics.rows import DetailRow
from medai.metrics.tally import Tally

CALLS_AT_ONCE = 2_500
"""A part ends with the day that reaches so many calls; a day is never divided."""
_LARGEST_GAP = timedelta(days=3)
"""Days between due ones are read and thrown away: better than another query, if they are few."""


def in_parts(days: Sequence[DueDay], sizes: Mapping[date, int]) -> Iterator[list[DueDay]]:
    """Days of one clinic, given in order, with the number of calls that each has."""
    part: list[DueDay] = []
    calls = 0
    for day in days:
        far = part and day.day - part[-1].day > _LARGEST_GAP
        if part and (far or calls + sizes.get(day.day, 0) > CALLS_AT_ONCE):
            yield part
            part, calls = [], 0
        part.append(day)
        calls += sizes.get(day.day, 0)
    if part:
        yield part


@dataclass(slots=True)
class CountedDays:
    """What the calls of some days of a clinic come to.

    Of each call only its own row is kept, about a kilobyte; `analysed` are the ids of those whose
    stage says that they were never exported.
    """

    tally: Tally
    details: list[DetailRow] = field(default_factory=list)
    analysed: list[str] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Count a call of the days."""
        if row := self.tally.add(call):
            self.details.append(row)
        if call.stage is Stage.ANALYSED:
            self.analysed.append(call.id)
