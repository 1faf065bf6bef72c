"""What a criterion is: its name, its anchors and the rules its score obeys."""

from collections.abc import Mapping
from dataclasses import dataclass

from medai.analysis.models import CallType

Anchor = tuple[str, str]
"""(score or scores, what earns it), for example ("6–8", "назвал только клинику")."""
ByType = Mapping[CallType, tuple[Anchor, ...]]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a scorecard.

    `binary`: only 0 and 10 exist. `decided_by_crm`: the model is not asked, the booking fact of
    the CRM decides. `optional`: the situation may not arise, then the criterion is left out of
    the mean. `full_when_absent`: 10 may stand for "it never came up", which no quote can prove.
    """

    key: str
    name: str
    anchors: tuple[Anchor, ...]
    binary: bool = False
    decided_by_crm: bool = False
    optional: bool = False
    full_when_absent: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A criterion with the anchors of each call type that has it."""

    key: str
    name: str
    anchors: ByType
    binary: bool = False
    decided_by_crm: bool = False
    optional_for: tuple[CallType, ...] = ()
    full_when_absent: bool = False

    def of(self, call_type: CallType) -> Criterion:
        """The criterion as it reads in the scorecard of one call type."""
        return Criterion(
            key=self.key,
            name=self.name,
            anchors=self.anchors[call_type],
            binary=self.binary,
            decided_by_crm=self.decided_by_crm,
            optional=call_type in self.optional_for,
            full_when_absent=self.full_when_absent,
        )


def same(anchors: tuple[Anchor, ...], *call_types: CallType) -> dict[CallType, tuple[Anchor, ...]]:
    """The same anchors for several call types."""
    return dict.fromkeys(call_types, anchors)
