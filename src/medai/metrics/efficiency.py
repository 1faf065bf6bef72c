"""Whether a call was effective, and which criteria made it so (contract 4.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from medai.calls.models import Analysis
from medai.errors import InvalidInputError
from medai.metrics.names import named_scores

EFFECTIVE_LABEL = "Эффективный"
INEFFECTIVE_LABEL = "Неэффективный"


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """Scores from `low` to `high`, both included."""

    low: float
    high: float

    def __contains__(self, score: float) -> bool:
        return self.low <= score <= self.high


@dataclass(frozen=True, slots=True)
class VerdictRanges:
    """Which scores speak for an effective call and which for an ineffective one."""

    effective: ScoreRange
    ineffective: ScoreRange

    def of(self, verdict: bool) -> ScoreRange:
        """The range that belongs to the verdict."""
        return self.effective if verdict else self.ineffective


@dataclass(frozen=True, slots=True)
class EfficiencySettings:
    """The overall ranges, the ranges of named criteria and those of all others.

    Keys of `criteria` are display names. The overall ranges 7-10 and 0-6 leave a gap: a mean
    between 6 and 7 is not effective.
    """

    overall: VerdictRanges = VerdictRanges(ScoreRange(7, 10), ScoreRange(0, 6))
    default: VerdictRanges = VerdictRanges(ScoreRange(5, 10), ScoreRange(0, 4))
    criteria: Mapping[str, VerdictRanges] = field(
        default_factory=lambda: MappingProxyType(
            {"Запись на прием": VerdictRanges(ScoreRange(10, 10), ScoreRange(0, 9))}
        )
    )


DEFAULT_EFFICIENCY = EfficiencySettings()


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The verdict on one call. `average` is None when no criterion applied."""

    is_effective: bool
    matched_criteria: tuple[str, ...]
    average: float | None

    @property
    def label(self) -> str:
        """The data value `effectiveness_label` of old documents (contract 2.1)."""
        return EFFECTIVE_LABEL if self.is_effective else INEFFECTIVE_LABEL


def efficiency(analysis: Analysis, settings: EfficiencySettings = DEFAULT_EFFICIENCY) -> Efficiency:
    """The verdict by the mean of the applicable criteria, names in the order of display."""
    scores = named_scores(analysis.scores)
    if not scores:
        return Efficiency(is_effective=False, matched_criteria=(), average=None)
    average = sum(score for _, score in scores) / len(scores)
    effective = average in settings.overall.effective
    matched = tuple(
        name
        for name, score in scores
        if score in settings.criteria.get(name, settings.default).of(effective)
    )
    return Efficiency(effective, matched, average)


def parse_range(value: Any) -> ScoreRange:
    """A range in any stored form: "7-10", "10", a number, or [min, max] (contract 4.6).

    Raises InvalidInputError for anything else.
    """
    if isinstance(value, str):
        return _bounds(value.split("-"), value)
    if isinstance(value, Sequence):
        return _bounds(value, value)
    return _bounds([value], value)


def _bounds(parts: Sequence[Any], shown: Any) -> ScoreRange:
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 2) or not 0 <= numbers[0] <= numbers[-1] <= 10:
        raise InvalidInputError(
            f"Неверный диапазон оценок «{str(shown)[:20]}»: укажите, например, 7-10"
        )
    return ScoreRange(numbers[0], numbers[-1])
