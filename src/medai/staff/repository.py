"""Administrators and work schedules in the document store."""

from collections.abc import Sequence
from datetime import date

from medai.infra.documents import Collection, Document, Documents
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
    fields = dict(document)
    return {"id": fields.pop("_id"), **fields}
