"""Who has opened patients' words: one entry for each transcript, recording or report given out."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum

from medai.infra.documents import Collection, Documents, Range
from medai.kit.clock import Clock
from medai.kit.ids import random_id
from medai.kit.model import Frozen

ACCESS_LOG = Collection("access_log", indexes=(("at",), ("client_id", "at")))


class Opened(StrEnum):
    """What was given out."""

    TRANSCRIPT = "transcript"
    RECORDING = "recording"
    ANALYSIS = "analysis"
    REPORT = "report"
    SEARCH = "search"


class Access(Frozen):
    """One opening. `by` is the name of a key or of a link; `object_id` a call, file or query id.

    `address` is the asking machine's, `request_id` the one in our log lines; `client_id` None:
    of all clinics.
    """

    at: datetime
    by: str
    address: str
    request_id: str
    what: Opened
    object_id: str
    client_id: str | None


class AccessLog:
    """Entries are only added, and forgotten by age. Raises StoreError: nothing is given out
    that could not be noted."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def note(
        self,
        what: Opened,
        object_id: str,
        client_id: str | None,
        *,
        by: str,
        address: str,
        request_id: str,
    ) -> None:
        """Note an opening before the file leaves."""
        entry = Access(
            at=self._clock(),
            by=by,
            address=address,
            request_id=request_id,
            what=what,
            object_id=object_id,
            client_id=client_id,
        )
        await self._documents.insert(ACCESS_LOG, {"_id": random_id(), **entry.model_dump()})

    async def newest(self, client_id: str | None, limit: int) -> AsyncIterator[Access]:
        """The newest entries of one clinic or of all, newest first."""
        where = {} if client_id is None else {"client_id": client_id}
        sort = (("at", -1),)
        async for document in self._documents.find(ACCESS_LOG, where, sort=sort, limit=limit):
            document.pop("_id")
            yield Access(**document)

    async def forget(self, before: datetime) -> int:
        """Delete entries older than the moment; returns how many."""
        return await self._documents.delete(ACCESS_LOG, {"at": Range(below=before)})
