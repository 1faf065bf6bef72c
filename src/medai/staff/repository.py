"""Administrators and work schedules in the document store."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

from medai.infra.documents import Change, Collection, Document, Documents, Range
from medai.staff.models import Administrator, Shift

ADMINISTRATORS = Collection("administrators", unique=(("client_id", "amocrm_user_id"),))
SHIFTS = Collection(
    "work_schedules",
    unique=(("client_id", "day", "first_name", "last_name"),),
    indexes=(("client_id", "day"),),
)


class StaffRepository:
    """Reads and writes the people of a clinic. Raises StoreError when the store fails."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def shifts_of(self, client_id: str, day: date) -> list[Shift]:
        """Who works on the day, by last and first name."""
        where = {"client_id": client_id, "day": day.isoformat()}
        sort = (("last_name", 1), ("first_name", 1))
        found = self._documents.find(SHIFTS, where, sort=sort)
        return [Shift(**_with_id(document)) async for document in found]

    async def add_shift(self, shift: Shift) -> bool:
        """Store a shift; False when the person is on that day's list already."""
        fields = shift.model_dump()
        return await self._documents.insert(SHIFTS, {"_id": fields.pop("id"), **fields})

    async def shift(self, shift_id: str) -> Shift | None:
        """The shift with this id, or None."""
        found = await self._documents.get(SHIFTS, shift_id)
        return Shift(**_with_id(found)) if found else None

    async def shifts_between(
        self, client_id: str, first: date | None, last: date | None, limit: int
    ) -> AsyncIterator[Shift]:
        """Shifts from one day to another (None: no bound) by day and name, at most so many."""
        days = Range(
            at_least=first.isoformat() if first else None,
            at_most=last.isoformat() if last else None,
        )
        sort = (("day", 1), ("last_name", 1), ("first_name", 1))
        where = {"client_id": client_id, "day": days}
        async for document in self._documents.find(SHIFTS, where, sort=sort, limit=limit):
            yield Shift(**_with_id(document))

    async def change_shift(self, shift_id: str, fields: Mapping[str, Any]) -> bool:
        """Set fields of a shift; False when it is gone. Raises ConflictError for one that exists
        already."""
        return await self._documents.update(SHIFTS, shift_id, Change(set=fields))

    async def remove_shift(self, shift_id: str) -> bool:
        """Delete a shift; tells whether it was there."""
        return await self._documents.delete(SHIFTS, {"_id": shift_id}) == 1

    async def put_administrators(self, administrators: Sequence[Administrator]) -> int:
        """Insert or replace administrators by id; returns how many were new or changed."""
        documents = []
        for administrator in administrators:
            fields = administrator.model_dump()
            documents.append({"_id": fields.pop("id"), **fields})
        return await self._documents.put_many(ADMINISTRATORS, documents)

    async def administrators_of(self, client_id: str) -> list[Administrator]:
        """The clinic's administrators by name."""
        found = self._documents.find(ADMINISTRATORS, {"client_id": client_id}, sort=(("name", 1),))
        return [Administrator(**_with_id(document)) async for document in found]


def _with_id(document: Document) -> Document:
    fields = {name: value for name, value in document.items() if name != "legacy"}
    return {"id": fields.pop("_id"), **fields}
