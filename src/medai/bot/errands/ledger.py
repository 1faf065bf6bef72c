"""What is under way for whom. Survives the process: whoever starts next carries it on."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum

from medai.bot.collections import BOT_ERRANDS
from medai.infra.documents import Change, Documents, Range
from medai.kit.clock import Clock
from medai.kit.ids import stable_id
from medai.kit.model import Frozen


class ErrandKind(StrEnum):
    """What is done. Each may be done again without harm."""

    DAY = "day"
    TRANSCRIPT = "transcript"
    ANALYSIS = "analysis"
    REPORT = "report"


class Errand(Frozen):
    """One piece of work for one person. `message_id` is the message that shows how far it is.

    `client_id` is the clinic it was asked for in; `delivered` names the parts that were sent.
    """

    id: str
    kind: ErrandKind
    chat_id: int
    client_id: str
    message_id: int
    args: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    at: datetime


def errand_id(kind: ErrandKind, chat_id: int) -> str:
    """Equal for equal wishes: one of a kind at a time for a person."""
    return stable_id("errand", kind.value, str(chat_id))


class ErrandLedger:
    """Raises StoreError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def begin(
        self,
        kind: ErrandKind,
        chat_id: int,
        client_id: str,
        message_id: int,
        args: tuple[str, ...],
    ) -> Errand | None:
        """Note the errand; None when the person has one of this kind under way."""
        errand = Errand(
            id=errand_id(kind, chat_id),
            kind=kind,
            chat_id=chat_id,
            client_id=client_id,
            message_id=message_id,
            args=args,
            at=self._clock(),
        )
        fields = errand.model_dump()
        taken = await self._documents.insert(BOT_ERRANDS, {"_id": fields.pop("id"), **fields})
        return errand if taken else None

    async def delivers(self, errand: Errand, part: str) -> bool:
        """Note, before it is sent, that a part is sent; False when it was noted before."""
        stored = await self._documents.get(BOT_ERRANDS, errand.id)
        delivered = list(stored["delivered"]) if stored else []
        if part in delivered:
            return False
        change = Change(set={"delivered": [*delivered, part]})
        await self._documents.update(BOT_ERRANDS, errand.id, change)
        return True

    async def end(self, errand: Errand) -> None:
        """Forget it."""
        await self._documents.delete(BOT_ERRANDS, {"_id": errand.id, "at": errand.at})

    async def drop(self, kind: ErrandKind, chat_id: int) -> None:
        """Forget whatever of this kind was left for the person."""
        await self._documents.delete(BOT_ERRANDS, {"_id": errand_id(kind, chat_id)})

    async def all(self) -> AsyncIterator[Errand]:
        """Everything that was begun and has not ended, oldest first."""
        async for document in self._documents.find(BOT_ERRANDS, {}, sort=(("at", 1),)):
            fields = dict(document)
            yield Errand(id=fields.pop("_id"), **fields)

    async def forget(self, before: datetime) -> int:
        """Delete what was begun before the moment; returns how many."""
        return await self._documents.delete(BOT_ERRANDS, {"at": Range(below=before)})
