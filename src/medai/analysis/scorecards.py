"""Versioned scorecards: the one table that prompts, scoring, reports and screens take from."""

from dataclasses import dataclass

from medai.analysis.criteria import DEFINITIONS
from medai.analysis.criterion import Criterion
from medai.analysis.models import CallType

VERSION = "medai-1"
"""Rises with every change of keys, anchors or rules; stored with each result."""

CRITERION_NAMES: dict[str, str] = {each.key: each.name for each in DEFINITIONS}
"""Key -> Russian name of all 19 criteria, in order of display (contract 3)."""

SCORED_TYPES = tuple(each for each in CallType if each is not CallType.OTHER)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The criteria of one call type in order of display."""

    call_type: CallType
    version: str
    criteria: tuple[Criterion, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, those that the CRM decides included."""
        return tuple(each.key for each in self.criteria)

    @property
    def asked(self) -> tuple[Criterion, ...]:
        """The criteria that the model is asked about."""
        return tuple(each for each in self.criteria if not each.decided_by_crm)

    @property
    def asked_keys(self) -> tuple[str, ...]:
        """Keys of `asked`."""
        return tuple(each.key for each in self.asked)

    @property
    def needs_booking(self) -> bool:
        """Whether the prompt tells the CRM's booking fact (contract 7: types 1 and 2)."""
        return any(each.decided_by_crm for each in self.criteria)


def scorecard(call_type: CallType) -> Scorecard:
    """The scorecard of a call type; that of OTHER has no criteria (contract 7)."""
    return _SCORECARDS[call_type]


def _build(call_type: CallType) -> Scorecard:
    criteria = tuple(each.of(call_type) for each in DEFINITIONS if call_type in each.anchors)
    return Scorecard(call_type, VERSION, criteria)


_SCORECARDS = {call_type: _build(call_type) for call_type in CallType}
