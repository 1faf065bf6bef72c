"""Everything the boards count, of calls given one by one: memory grows with labels only."""

from medai.calls.models import Call
from medai.metrics.criteria import CriterionTally
from medai.metrics.daily import DailyTally
from medai.metrics.details import CallLinks, detail_row
from medai.metrics.funnel import FunnelTally
from medai.metrics.rows import DetailRow
from medai.metrics.selection import labels_of, scored, shown


class Tally:
    """The figures of some days, in any order of their calls."""

    def __init__(self, links: CallLinks) -> None:
        self.daily = DailyTally()
        self.criteria = CriterionTally()
        self.funnel = FunnelTally()
        self._links = links

    def add(self, call: Call) -> DetailRow | None:
        """Count a call; returns its own row, which is not kept here."""
        analysis = scored(call)
        labels = labels_of(call, analysis)
        self.funnel.add(labels, call, analysis)
        if analysis is None or not shown(call):
            return None
        self.daily.add(labels, call, analysis)
        self.criteria.add(labels, analysis)
        return detail_row(call, analysis, self._links)
