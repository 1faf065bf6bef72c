"""Clinics in the document store, changed by compare-and-set on their revision."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

from medai.clinics.models import Clinic
from medai.errors import ConflictError, NotFoundError
from medai.infra.documents import Change, Collection, Document, Documents, Not
from medai.kit.clock import Clock

CLINICS = Collection("clinics", unique=(("client_id",),), indexes=(("telegram_ids",),))

_MAX_ATTEMPTS = 60
"""Writers of one clinic beyond this number in one instant mean a defect, not load."""
_LONGEST_PAUSE_SECONDS = 0.05


def unknown_clinic(client_id: str) -> NotFoundError:
    """What is said of a clinic that does not exist, or not for whoever asks."""
    return NotFoundError(f"Клиника «{client_id[:60]}» не найдена: проверьте client_id")


class ClinicRepository:
    """Reads and writes clinics. Raises StoreError when the store fails."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def by_client_id(self, client_id: str) -> Clinic | None:
        """The clinic with this amoCRM integration id, or None."""
        found = self._documents.find(CLINICS, {"client_id": client_id}, sort=(("_id", 1),), limit=1)
        async for document in found:
            return _from_document(document)
        return None

    async def require(self, client_id: str) -> Clinic:
        """The clinic, or NotFoundError in a form a person can act on."""
        clinic = await self.by_client_id(client_id)
        if clinic is None:
            raise unknown_clinic(client_id)
        return clinic

    async def by_any_id(self, clinic_id: str) -> Clinic | None:
        """The clinic with this client_id or this id of its own (old clients use both), or None."""
        clinic = await self.by_client_id(clinic_id)
        if clinic is not None:
            return clinic
        document = await self._documents.get(CLINICS, clinic_id)
        return _from_document(document) if document else None

    async def all(self) -> AsyncIterator[Clinic]:
        """Every clinic by name."""
        async for document in self._documents.find(CLINICS, {}, sort=(("name", 1),)):
            yield _from_document(document)

    async def with_telegram_ids(self) -> AsyncIterator[Clinic]:
        """Clinics of an old installation whose owners the bot knew by their Telegram ids."""
        where = {"telegram_ids": Not([])}
        async for document in self._documents.find(CLINICS, where, sort=(("name", 1),)):
            yield _from_document(document)

    async def insert(self, clinic: Clinic) -> bool:
        """Store a new clinic; False when its client_id is taken."""
        return await self._documents.insert(CLINICS, to_document(clinic))

    async def change(self, client_id: str, change: Callable[[Clinic], Clinic]) -> Clinic:
        """Apply a pure change until no other writer came between; returns the stored clinic.

        `change` may raise; then nothing is written. Raises NotFoundError, ConflictError.
        """
        for attempt in range(_MAX_ATTEMPTS):
            clinic = await self.require(client_id)
            changed = change(clinic)
            if changed == clinic:
                return clinic
            stored = await self._store(clinic, changed)
            if stored is not None:
                return stored
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS * attempt / 10))  # noqa: S311 - jitter
        raise ConflictError("Настройки клиники меняют слишком часто: повторите позже")

    async def _store(self, before: Clinic, changed: Clinic) -> Clinic | None:
        after = changed.model_copy(
            update={"revision": before.revision + 1, "updated_at": self._clock()}
        )
        fields = to_document(after)
        doc_id = fields.pop("_id")
        done = await self._documents.update(
            CLINICS, doc_id, Change(set=fields), where={"revision": before.revision}
        )
        return after if done else None


def to_document(clinic: Clinic) -> Document:
    """The stored form: the model's own fields with `_id` instead of `id`."""
    fields = clinic.model_dump()
    return {"_id": fields.pop("id"), **fields}


def _from_document(document: Document) -> Clinic:
    fields = {name: value for name, value in document.items() if name != "legacy"}
    return Clinic(id=fields.pop("_id"), **fields)
