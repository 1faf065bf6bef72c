"""One amoCRM account in memory, and the installation that holds all of them."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

from medai.kit.clock import Clock, utc_now
from medai.sandbox.amocrm import seed
from medai.sandbox.amocrm.cards import Cards
from medai.sandbox.amocrm.events import Events
from medai.sandbox.amocrm.limiter import Limiter
from medai.sandbox.amocrm.notes import Notes
from medai.sandbox.amocrm.options import Options
from medai.sandbox.amocrm.rows import COLLECTIONS, SINGULAR, Row
from medai.sandbox.amocrm.tokens import Tokens
from medai.sandbox.world.models import CardType, SimClinic, World


class Account:
    """State of one account. Tests and the demo may use every public part at run time."""

    def __init__(
        self,
        clinic: SimClinic,
        options: Options,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clinic = clinic
        self.options = options
        self.clock = clock
        self.tokens = Tokens(clinic, options, clock)
        self.limiter = Limiter(options, monotonic)
        given = {"leads": clinic.leads, "contacts": clinic.contacts, "companies": clinic.companies}
        self.cards = {kind: Cards(given[kind].values()) for kind in COLLECTIONS}
        self.notes = {kind: Notes(seed.call_notes(clinic, kind)) for kind in COLLECTIONS}
        self.events = Events(seed.events(clinic))
        highest = max((call.note_id for call in clinic.calls), default=0)
        self._note_ids = itertools.count(highest + 1)

    def now(self) -> int:
        """Unix seconds of the simulator's clock."""
        return int(self.clock().timestamp())

    def add_note(self, collection: CardType, fields: Row, event_type: str) -> Row:
        """Store a note with a new id and its event, dated like the note.

        `fields` need entity_id, created_by, created_at, note_type and params.
        """
        row = self._note_row(fields)
        self.notes[collection].add(row)
        if self.options.notes_touch_cards:
            self.cards[collection].touch(row["entity_id"], self.now())
        after = [{"note": {"id": row["id"]}}]
        self.add_event(
            event_type, collection, row["entity_id"], after, [],
            created_by=row["created_by"], at=row["created_at"],
        )  # fmt: skip
        return row

    def add_event(
        self,
        event_type: str,
        collection: CardType,
        entity_id: int,
        after: list[Row],
        before: list[Row],
        *,
        created_by: int = 0,
        at: int | None = None,
    ) -> Row:
        """Store an event of the unix time `at`, by default now."""
        now = self.now() if at is None else at
        row: Row = {
            "id": self.events.new_id(now), "type": event_type, "entity_id": entity_id,
            "entity_type": SINGULAR[collection], "created_by": created_by, "created_at": now,
            "value_after": after, "value_before": before, "account_id": self.clinic.account_id,
        }  # fmt: skip
        self.events.add(row)
        return row

    def duplicate_call(
        self, collection: CardType, note_id: int, *, to: tuple[CardType, int] | None = None
    ) -> Row:
        """The same call posted again by another integration: new note and event, same uniq.

        `to` names another card (collection, id). Raises KeyError for an unknown note.
        """
        note = self.notes[collection].get(note_id)
        if note is None:
            raise KeyError(note_id)
        kind, card_id = to or (collection, note["entity_id"])
        event = "incoming_call" if note["note_type"] == "call_in" else "outgoing_call"
        return self.add_note(kind, {**note, "entity_id": card_id}, event)

    def _note_row(self, fields: Row) -> Row:
        now = self.now()
        author = fields["created_by"]
        row: Row = {
            "id": next(self._note_ids), "entity_id": fields["entity_id"], "created_by": author,
            "updated_by": author, "created_at": fields["created_at"], "updated_at": now,
            "responsible_user_id": fields.get("responsible_user_id", author), "group_id": 0,
            "note_type": fields["note_type"], "params": fields["params"],
            "account_id": self.clinic.account_id,
        }  # fmt: skip
        return row


class AmoCrm:
    """All accounts of a world. `options` is copied, so that each account has its own."""

    def __init__(
        self,
        world: World,
        *,
        clock: Clock = utc_now,
        options: Options | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._clock = clock
        self._template = options or Options()
        self._monotonic = monotonic
        self.accounts = self._as_generated()

    def reset(self) -> None:
        """Everything as at the start: cards, notes, events, tokens, limits and options."""
        self.accounts = self._as_generated()

    def account(self, subdomain: str) -> Account:
        """The account. Raises KeyError."""
        return self.accounts[subdomain]

    def _as_generated(self) -> dict[str, Account]:
        return {
            clinic.subdomain: Account(clinic, replace(self._template), self._clock, self._monotonic)
            for clinic in self._world.clinics
        }
