"""Leads, contacts or companies of an account."""

from collections.abc import Iterable

from medai.sandbox.amocrm.matches import Matches
from medai.sandbox.amocrm.rows import Row


class Cards:
    """One collection of cards by id. Deleted cards are kept but answer like missing ones."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_id: dict[int, Row] = {row["id"]: row for row in rows}
        self.matches = Matches()

    def get(self, card_id: int) -> Row | None:
        """The card, unless missing or deleted (amocrm.md 11.1)."""
        row = self._by_id.get(card_id)
        return None if row is None or row.get("is_deleted") else row

    def all(self, *, deleted: bool = False) -> list[Row]:
        """Cards in order of id; only the deleted ones when asked."""
        rows = (row for row in self._by_id.values() if bool(row.get("is_deleted")) is deleted)
        return sorted(rows, key=lambda row: int(row["id"]))

    def put(self, row: Row) -> None:
        """Add the card or replace the one with its id."""
        self._by_id[row["id"]] = row
        self.matches.forget()

    def touch(self, card_id: int, now: int) -> None:
        """Move `updated_at` (unix seconds) of an existing card."""
        row = self._by_id.get(card_id)
        if row is not None:
            self.put({**row, "updated_at": now})
