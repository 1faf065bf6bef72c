"""Scores that follow from other scores, and the advice a perfect judge would give."""

from collections.abc import Mapping

from medai.sandbox.world.phrases.advice import ADVICE, PRAISE

_GOOD = 8
_FEW_CRITERIA = 12
_STEPS = ((0, 10), (2, 8), (4, 6), (6, 4), (8, 2))
_STEPS_OF_SMALL_TYPES = ((0, 10), (1, 8), (2, 6), (4, 4), (6, 2))
_LOWEST_OF_A_BOOKING = 2
_ADVICE_COUNT = 3


def initiative(scores: Mapping[str, int | None], *, criteria: int, lost: bool) -> int:
    """The derived score: 10 when nothing else is 8 or below, less with each such criterion.

    `criteria` is how many the call type has: the smaller types use the shorter scale; only a
    `lost` patient can mean 0 (contract 7).
    """
    weak = sum(1 for score in scores.values() if score is not None and score <= _GOOD)
    steps = _STEPS_OF_SMALL_TYPES if criteria < _FEW_CRITERIA else _STEPS
    reached = next((score for limit, score in steps if weak <= limit), 0)
    return reached if lost else max(reached, _LOWEST_OF_A_BOOKING)


def overall(scores: Mapping[str, int | None]) -> float:
    """Mean of the applicable scores, 0-10, four digits; 0.0 when nothing is judged."""
    applicable = [score for score in scores.values() if score is not None]
    return round(sum(applicable) / len(applicable), 4) if applicable else 0.0


def recommendations(scores: Mapping[str, int | None]) -> tuple[str, ...]:
    """Three pieces of advice for the weakest criteria; praise where fewer are weak."""
    weak = sorted(
        (score, key) for key, score in scores.items() if score is not None and score <= _GOOD
    )
    given = [ADVICE[key] for _, key in weak if key in ADVICE][:_ADVICE_COUNT]
    return tuple([*given, *PRAISE][:_ADVICE_COUNT])
