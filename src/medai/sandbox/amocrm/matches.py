"""Filtered lists kept for their next pages, so that page 40 costs what page 1 does."""

from collections.abc import Callable, Hashable

from medai.sandbox.amocrm.rows import Row

_KEPT = 16


class Matches:
    """Results of the last few filters over one table; forgotten at every change of it."""

    def __init__(self) -> None:
        self._found: dict[Hashable, list[Row]] = {}

    def get(self, key: Hashable, find: Callable[[], list[Row]]) -> list[Row]:
        """The rows for the key, computed once."""
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            found = self._found[key] = find()
        return found

    def forget(self) -> None:
        """The table has changed."""
        self._found.clear()
