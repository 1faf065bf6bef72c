"""Which business days of a clinic have metrics that differ from what PostgreSQL holds.

A day carries a version that rises with every change of an analysed call; the export remembers the
version it wrote. A change that comes while an export runs therefore stays due.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from medai.infra.documents import (
    MAX_IDS_PER_QUERY,
    Change,
    Collection,
    Document,
    Documents,
    Not,
    OneOf,
)
from medai.kit.chunks import chunks
from medai.kit.clock import Clock, utc_now
from medai.kit.ids import stable_id

EXPORT_DAYS = Collection("export_days", indexes=(("due",), ("client_id",)))


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day to export, at the version that was seen."""

    doc_id: str
    client_id: str
    day: date
    version: int


class ExportDays:
    """The watermark of the export, kept per clinic and day."""

    def __init__(self, documents: Documents, clock: Clock = utc_now) -> None:
        self._documents = documents
        self._clock = clock

    async def touch(self, client_id: str, day: date) -> None:
        """Note that the day's metrics changed. Raises StoreError."""
        doc_id = stable_id("export-day", client_id, day.isoformat())
        again = Change(increment={"version": 1})
        while not await self._documents.update(EXPORT_DAYS, doc_id, again, where={"due": True}):
            begin = self._begin()
            if await self._documents.update(EXPORT_DAYS, doc_id, begin, where={"due": Not(True)}):
                return
            fresh = {"client_id": client_id, "day": day.isoformat(), "version": 1, **begin.set}
            if await self._documents.insert(EXPORT_DAYS, {"_id": doc_id, **fresh}):
                return

    def _begin(self) -> Change:
        """A day that was not due becomes so."""
        return Change(set={"due": True, "due_since": self._clock()}, increment={"version": 1})

    async def due(self, client_id: str | None) -> AsyncIterator[DueDay]:
        """Days that have to be exported, by clinic and day; None means all clinics."""
        where = {"due": True} if client_id is None else {"due": True, "client_id": client_id}
        sort = (("client_id", 1), ("day", 1))
        async for found in self._documents.find(EXPORT_DAYS, where, sort=sort):
            yield _due_day(found)

    async def overdue(self, since: datetime) -> tuple[int, DueDay | None]:
        """How many days have been due since before the moment, and the oldest day of these.

        A day whose beginning earlier versions did not note counts.
        """
        count, oldest = 0, None
        async for found in self._documents.find(EXPORT_DAYS, {"due": True}, sort=(("day", 1),)):
            if (began := found.get("due_since")) is None or began < since:
                count += 1
                oldest = oldest or _due_day(found)
        return count, oldest

    async def touch_all(self, client_id: str | None) -> int:
        """Make every known day due again (a full rebuild); returns how many were not."""
        where = (
            {"due": Not(True)} if client_id is None else {"due": Not(True), "client_id": client_id}
        )
        return await self._documents.update_many(EXPORT_DAYS, where, self._begin())

    async def exported(self, days: Sequence[DueDay]) -> None:
        """The days are written as they were seen; a newer version is due, whatever others wrote."""
        by_version: defaultdict[int, list[str]] = defaultdict(list)
        for day in days:
            by_version[day.version].append(day.doc_id)
        for version, doc_ids in by_version.items():
            for ids in chunks(doc_ids, MAX_IDS_PER_QUERY):
                await self._exported(ids, version)

    async def _exported(self, doc_ids: Sequence[str], version: int) -> None:
        where = {"_id": OneOf(tuple(doc_ids))}
        done = Change(set={"due": False})
        seen = {**where, "version": version}
        written = await self._documents.update_many(EXPORT_DAYS, seen, done)
        if written < len(doc_ids):
            # Another export may have written the newer version before us: ours is the older one.
            newer = {**where, "version": Not(version)}
            await self._documents.update_many(EXPORT_DAYS, newer, Change(set={"due": True}))


def _due_day(found: Document) -> DueDay:
    return DueDay(
        found["_id"], found["client_id"], date.fromisoformat(found["day"]), found["version"]
    )
