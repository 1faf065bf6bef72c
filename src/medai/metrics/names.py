"""Display names and display order of criteria.

A stored call keeps scores by key, and JSONB does not keep the order of keys, so both the name and
the order come from the scorecard's table.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from medai.analysis.scorecards import CRITERION_NAMES

_SCORECARDS_KEPT = 256
"""All calls of a type have the same keys; old documents have a few combinations more."""


def in_display_order(keys: Iterable[str]) -> list[str]:
    """The keys in the order of display; those that no scorecard knows any more come last."""
    found = set(keys)
    known = [key for key in CRITERION_NAMES if key in found]
    return [*known, *sorted(found.difference(known))]


def criterion_name(key: str) -> str:
    """The name that boards and reports show (contract 3); an unknown key names itself."""
    return CRITERION_NAMES.get(key, key)


def named_scores(scores: Mapping[str, int | None]) -> list[tuple[str, int]]:
    """(display name, score) of the criteria that applied to the call, in the order of display."""
    shown = _shown(tuple(scores))
    return [(name, score) for key, name in shown if (score := scores[key]) is not None]


@lru_cache(_SCORECARDS_KEPT)
def _shown(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Key and display name, in the order of display."""
    return tuple((key, criterion_name(key)) for key in in_display_order(keys))
