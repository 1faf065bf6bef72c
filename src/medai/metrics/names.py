"""Display names and display order of criteria.

A stored call keeps scores by key, and JSONB does not keep the order of keys, so both the name and
the order come from the scorecard's table.
"""

from collections.abc import Iterable, Mapping

from medai.analysis.scorecards import CRITERION_NAMES


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
    return [
        (criterion_name(key), score)
        for key in in_display_order(scores)
        if (score := scores[key]) is not None
    ]
