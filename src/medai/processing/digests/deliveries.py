"""What was written to whom: a document before each message, completed after it.

Its id is stable, so of any number of attempts one writes the message. When the process dies in
between, the document stays without an end: the message may have arrived and is not repeated.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from medai.digests.models import Morning, OwnMorning, PatientNotice, Weekly
from medai.digests.nightly import NightReport
from medai.digests.troubles import Trouble
from medai.infra.documents import Change, Collection, Documents, Range
from medai.kit.clock import Clock
from medai.kit.ids import stable_id
from medai.kit.model import Frozen

DELIVERIES = Collection("deliveries", indexes=(("subject",), ("state",), ("at",)))
KEPT = timedelta(days=60)


class Kind(StrEnum):
    """What kind of message it is."""

    MORNING = "morning"
    OWN_MORNING = "own_morning"
    WEEKLY = "weekly"
    PATIENT = "patient"
    TROUBLE = "trouble"
    ALL_CLEAR = "all_clear"
    DAILY_RUN = "daily_run"


class State(StrEnum):
    """How far a delivery is. `SENDING` of a process that died means `UNKNOWN`; `NOTHING`: there
    was nothing to tell; `REFUSED`: Telegram does not take messages for this chat."""

    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    NOTHING = "nothing"


Content = Morning | OwnMorning | Weekly | PatientNotice | Trouble | NightReport


@dataclass(frozen=True, slots=True)
class Due:
    """A message to write now. `subject` is what it is about; a chat is told of it once.

    `shows` is the change of the subject that the message shows; `for_owner` adds what only owners
    are told.
    """

    kind: Kind
    chat_id: int
    subject: str
    content: Content
    shows: int = 0
    for_owner: bool = False

    @property
    def id(self) -> str:
        """The delivery's stable id."""
        return stable_id("delivery", self.subject, str(self.chat_id))


class Delivery(Frozen):
    """A delivery as it is stored. `message_id` is Telegram's, in the chat."""

    id: str
    kind: Kind
    chat_id: int
    subject: str
    state: State
    at: datetime
    shows: int = 0
    message_id: int | None = None


class Deliveries:
    """Deliveries in the document store. Raises StoreError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def claim(self, due: Due, state: State = State.SENDING) -> bool:
        """Note the message before it is written; False when somebody did before."""
        delivery = Delivery(
            id=due.id, kind=due.kind, chat_id=due.chat_id, subject=due.subject,
            state=state, at=self._clock(), shows=due.shows,
        )  # fmt: skip
        fields = delivery.model_dump()
        return await self._documents.insert(DELIVERIES, {"_id": fields.pop("id"), **fields})

    async def sent(self, delivery_id: str, message_id: int) -> None:
        """The message is there."""
        await self._set(delivery_id, state=State.SENT, message_id=message_id)

    async def end(self, delivery_id: str, state: State) -> None:
        """It ended otherwise."""
        await self._set(delivery_id, state=state)

    async def withdraw(self, delivery_id: str) -> None:
        """Nothing was written for certain: it may be tried again."""
        await self._documents.delete(DELIVERIES, {"_id": delivery_id})

    async def shown(self, delivery_id: str, shows: int) -> None:
        """The message was edited and shows this change now."""
        await self._set(delivery_id, shows=shows)

    async def told(self, subject: str) -> dict[int, Delivery]:
        """Deliveries about a subject by chat."""
        found = self._documents.find(DELIVERIES, {"subject": subject}, sort=(("_id", 1),))
        return {one["chat_id"]: _from_document(one) async for one in found}

    async def abandon(self) -> int:
        """Close what a process that died has left; called once, before the first message.

        One process writes at a time. Returns how many messages may or may not have arrived.
        """
        where = {"state": State.SENDING.value}
        change = Change(set={"state": State.UNKNOWN.value})
        return await self._documents.update_many(DELIVERIES, where, change)

    async def forget(self) -> int:
        """Delete what is older than anybody asks for; returns how many."""
        old = {"at": Range(below=self._clock() - KEPT)}
        return await self._documents.delete(DELIVERIES, old)

    async def _set(self, delivery_id: str, **fields: Any) -> None:
        await self._documents.update(DELIVERIES, delivery_id, Change(set=fields))


def _from_document(document: dict[str, Any]) -> Delivery:
    fields = dict(document)
    return Delivery(id=fields.pop("_id"), **fields)
