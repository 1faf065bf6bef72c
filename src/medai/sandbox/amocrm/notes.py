"""Notes of one collection of cards, with recording links that come late."""

from collections.abc import Iterable

from medai.sandbox.amocrm.matches import Matches
from medai.sandbox.amocrm.rows import Row


class Notes:
    """Notes by id and by card. The platform never removes duplicates, so neither does this."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_id: dict[int, Row] = {}
        self._by_card: dict[int, list[int]] = {}
        self._held: dict[int, tuple[str, float]] = {}
        self.matches = Matches()
        for row in rows:
            self.add(row)

    def get(self, note_id: int) -> Row | None:
        """The note, or None."""
        return self._by_id.get(note_id)

    def of_card(self, card_id: int) -> list[Row]:
        """Notes of one card in order of creation."""
        return [self._by_id[note_id] for note_id in self._by_card.get(card_id, ())]

    def all(self) -> list[Row]:
        """Every note in order of id."""
        return [self._by_id[note_id] for note_id in sorted(self._by_id)]

    def add(self, row: Row) -> None:
        """Store a new note."""
        self._by_id[row["id"]] = row
        self._by_card.setdefault(row["entity_id"], []).append(row["id"])
        self.matches.forget()

    def change(self, note_id: int, now: int, **fields: object) -> Row:
        """Replace fields of a note; `updated_at` always moves. Raises KeyError."""
        old = self._by_id[note_id]
        row = {**old, **fields, "updated_at": max(now, old["updated_at"] + 1)}
        self._by_id[note_id] = row
        self.matches.forget()
        return row

    def hold_link(self, note_id: int, until: float = float("inf")) -> None:
        """Show the call note without its link until the unix time, as a slow PBX leaves it.

        Raises KeyError. When the link comes, `updated_at` moves to that moment.
        """
        row = self._by_id[note_id]
        self._held[note_id] = (row["params"]["link"], until)
        self._by_id[note_id] = {**row, "params": {**row["params"], "link": ""}}
        self.matches.forget()

    def release_link(self, note_id: int, now: int) -> None:
        """The PBX adds the held link. Raises KeyError."""
        link, _ = self._held.pop(note_id)
        params = {**self._by_id[note_id]["params"], "link": link}
        self.change(note_id, now, params=params)

    def release_due(self, now: float) -> None:
        """Add the held links whose time has come."""
        due = [note_id for note_id, (_, until) in self._held.items() if until <= now]
        for note_id in due:
            self.release_link(note_id, int(self._held[note_id][1]))
