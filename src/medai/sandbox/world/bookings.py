"""What the clinic's staff entered in the CRM after a conversation."""

from datetime import datetime, timedelta

from medai.sandbox.world.book import Book
from medai.sandbox.world.crm import LOST, Json
from medai.sandbox.world.setup import CONFIRMED, NOT_CONFIRMED

_AFTER_FIRST = ("first", "first", "first_and_field", "next_day", "first", "archive")
_AFTER_REPEAT = ("repeat", "next_day_field", "repeat", "repeat")
_BY_OUTCOME = {
    "confirmed": ("enum", "text", "held"),
    "moved": ("enum_no", "enum"),
    "cancelled": ("text_no", "lost"),
}
_OPEN = ("", "", "lost", "", "")


class Entries:
    """Takes turns through the ways a booking is (or is not, or is too late) entered."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._turns: dict[tuple[str, ...], int] = {}

    def enter(self, lead: Json, call_type_id: int, outcome: str, at: datetime) -> None:
        """Change the lead as the next way for this kind of conversation does, after `at`."""
        ways = self._ways(call_type_id, outcome)
        turn = self._turns.get(ways, 0)
        self._turns[ways] = turn + 1
        self._apply(ways[turn % len(ways)], lead, at + timedelta(minutes=3))

    @staticmethod
    def _ways(call_type_id: int, outcome: str) -> tuple[str, ...]:
        if outcome == "booked":
            return _AFTER_REPEAT if call_type_id == 2 else _AFTER_FIRST
        return _BY_OUTCOME.get(outcome, _OPEN)

    def _apply(self, way: str, lead: Json, at: datetime) -> None:
        book, setup = self._book, self._book.setup
        tomorrow = at + timedelta(days=1)
        if way.startswith(("first", "repeat")):
            book.move(lead, setup.booked(setup.repeat if way == "repeat" else setup.first), at)
        if way == "next_day":
            book.move(lead, setup.booked(setup.first), tomorrow)
        if way == "archive":
            book.move(lead, setup.booked(setup.archive), at)
        if way == "lost":
            book.move(lead, (lead["pipeline_id"], LOST), at)
        self._confirm(way, lead, at, tomorrow)

    def _confirm(self, way: str, lead: Json, at: datetime, tomorrow: datetime) -> None:
        book = self._book
        yes = book.setup.confirmation_enum(CONFIRMED)
        if way in ("enum", "first_and_field"):
            book.confirm(lead, at + timedelta(minutes=1), CONFIRMED, yes)
        if way == "next_day_field":
            book.confirm(lead, tomorrow, CONFIRMED, yes)
        if way == "text":
            book.confirm(lead, at, "Визит подтвержден", None)
        if way == "enum_no":
            book.confirm(lead, at, NOT_CONFIRMED, book.setup.confirmation_enum(NOT_CONFIRMED))
        if way == "text_no":
            book.confirm(lead, at, "не подтвержден", None)
        if way == "held":
            book.set_field(lead, book.setup.confirmation, CONFIRMED)
