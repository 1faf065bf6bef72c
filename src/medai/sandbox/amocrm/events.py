"""The event log of an account, ordered by time."""

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from medai.sandbox.amocrm.matches import Matches
from medai.sandbox.amocrm.query import Bounds
from medai.sandbox.amocrm.rows import Row

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Events:
    """Append-only events; the list is oldest first."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = sorted(rows, key=_moment)
        self._by_id: dict[str, Row] = {row["id"]: row for row in self._rows}
        self.matches = Matches()

    def get(self, event_id: str) -> Row | None:
        """The event, or None."""
        return self._by_id.get(event_id)

    def newest_first(self, within: Bounds | None, visible_until: float | None) -> list[Row]:
        """Events created within the bounds and not after `visible_until` (unix seconds)."""
        first, last = 0, len(self._rows)
        if within is not None and within.low is not None:
            first = bisect_left(self._rows, float(within.low), key=_moment)
        if within is not None and within.high is not None:
            last = bisect_right(self._rows, float(within.high), key=_moment)
        if visible_until is not None:
            last = min(last, bisect_right(self._rows, visible_until, key=_moment))
        found = self._rows[first:last][::-1]
        return [row for row in found if within is None or row["created_at"] in within]

    def add(self, row: Row) -> None:
        """Store an event that has just happened."""
        insort(self._rows, row, key=_moment)
        self._by_id[row["id"]] = row
        self.matches.forget()

    def new_id(self, created_at: int) -> str:
        """A ULID-like id: 26 lower-case characters, the first ten tell the time."""
        digest = hashlib.sha256(f"{created_at}/{len(self._rows)}".encode()).digest()
        tail = int.from_bytes(digest[:10], "big")
        return _base32(created_at * 1000, 10) + _base32(tail, 16)


def _moment(row: Row) -> float:
    return float(row["created_at"])


def _base32(value: int, digits: int) -> str:
    return "".join(_CROCKFORD[value >> (5 * place) & 31] for place in reversed(range(digits)))
