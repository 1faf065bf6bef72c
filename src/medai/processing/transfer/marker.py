"""The note that an import is under way: while it stands, the service does not start.

A service that worked on half of the documents would pay for recognitions it does not know yet.
"""

from collections.abc import Sequence

from medai.errors import ConflictError
from medai.infra.documents import Change, Collection, Documents
from medai.kit.model import Frozen

TRANSFERS = Collection("transfers")
_ID = "import"


class Marker(Frozen):
    """`archive` is the digest of the manifest; `wiped`: the former documents are gone."""

    archive: str
    wiped: bool
    done: tuple[str, ...] = ()


async def refuse_unfinished(documents: Documents) -> None:
    """Raises ConflictError while an import is under way or was broken off."""
    if await documents.get(TRANSFERS, _ID):
        raise ConflictError(
            "Перенос данных сюда не закончен: повторите medai import-data с тем же архивом"
        )


class ImportMarker:
    """The note in the store that is imported into. Raises StoreError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def read(self) -> Marker | None:
        """The note, or None."""
        found = await self._documents.get(TRANSFERS, _ID)
        return Marker(**{key: found[key] for key in Marker.model_fields}) if found else None

    async def set(self, marker: Marker) -> None:
        """Begin, or begin anew with another archive."""
        await self._documents.put_many(TRANSFERS, [{"_id": _ID, **marker.model_dump()}])

    async def wiped(self) -> None:
        """The former documents are gone."""
        await self._documents.update(TRANSFERS, _ID, Change(set={"wiped": True}))

    async def done(self, names: Sequence[str]) -> None:
        """These collections are written and compared."""
        await self._documents.update(TRANSFERS, _ID, Change(set={"done": list(names)}))

    async def clear(self) -> None:
        """The service may start."""
        await self._documents.delete(TRANSFERS, {"_id": _ID})
