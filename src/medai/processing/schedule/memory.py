"""What was begun last, per clinic and activity, for all processes."""

from datetime import date

from medai.infra.documents import Change, Collection, Document, Documents
from medai.kit.clock import Clock
from medai.kit.ids import stable_id
from medai.processing.schedule.rules import Activity, Begun, Due

SCHEDULE = Collection("schedule", indexes=(("client_id",),))

INSTALLATION = ""
"""In place of a clinic: what concerns the whole installation."""


class ScheduleMemory:
    """Beginnings in the document store. Raises StoreError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def of(self, client_id: str) -> dict[Activity, Begun]:
        """Everything that was ever begun for the clinic."""
        found = self._documents.find(SCHEDULE, {"client_id": client_id}, sort=(("_id", 1),))
        return {Activity(one["activity"]): _begun(one) async for one in found}

    async def claim(self, client_id: str, due: Due, seen: Begun | None) -> bool:
        """Note the beginning unless somebody did since `seen`: of many callers one is told True."""
        now = self._clock()
        fields: Document = {"at": now, "day": due.day.isoformat() if due.day else None}
        doc_id = stable_id("schedule", client_id, due.activity)
        if seen is None:
            names = {"_id": doc_id, "client_id": client_id, "activity": due.activity.value}
            return await self._documents.insert(SCHEDULE, {**names, **fields, "version": 1})
        before = {"at": seen.at, "day": seen.day.isoformat() if seen.day else None}
        change = Change(set=fields, increment={"version": 1})
        return await self._documents.update(SCHEDULE, doc_id, change, where=before)


def _begun(document: Document) -> Begun:
    day = document["day"]
    return Begun(document["at"], date.fromisoformat(day) if day else None)
