"""Analyses of the replaced system as the text files people know (contract 2.3): kept as they were.

Their comments stand nowhere else: old calls have scores and no evidence.
"""

from medai.infra.documents import Collection, Documents
from medai.kit.model import Frozen

OLD_ANALYSES = Collection("old_analyses", indexes=(("name",),))


class OldAnalysis(Frozen):
    """The file of a call under the name that old links have."""

    call_id: str
    client_id: str
    name: str
    text: str


class OldAnalyses:
    """One file per call. Every method raises StoreError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def put(self, file: OldAnalysis) -> None:
        """Store or replace the file of a call."""
        fields = file.model_dump()
        await self._documents.put_many(OLD_ANALYSES, [{"_id": fields.pop("call_id"), **fields}])

    async def of_call(self, call_id: str) -> OldAnalysis | None:
        """The file of a call, or None."""
        found = await self._documents.get(OLD_ANALYSES, call_id)
        return _file(found) if found else None

    async def named(self, name: str) -> OldAnalysis | None:
        """The file with this name, or None."""
        by_id = (("_id", 1),)
        async for found in self._documents.find(OLD_ANALYSES, {"name": name}, sort=by_id, limit=1):
            return _file(found)
        return None


def _file(document: dict[str, object]) -> OldAnalysis:
    fields = dict(document)
    return OldAnalysis.model_validate({"call_id": fields.pop("_id"), **fields})
