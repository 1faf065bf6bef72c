"""Full analyses with their proof, one document per call."""

import json
from collections.abc import Sequence
from typing import Any

from medai.analysis.models import CallAnalysis
from medai.infra.documents import (
    MAX_IDS_PER_QUERY,
    Collection,
    Document,
    Documents,
    OneOf,
)
from medai.kit.chunks import chunks

ANALYSES = Collection(
    "analyses", indexes=(("client_id", "analysed_at"), ("client_id", "needs_review"))
)


class AnalysisRepository:
    """Stores the last analysis of each call. Every method raises StoreError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def save(self, analysis: CallAnalysis) -> None:
        """Write or replace the analysis of the call."""
        await self._documents.put_many(ANALYSES, [_document(analysis)])

    async def get(self, call_id: str) -> CallAnalysis | None:
        """The analysis of a call, None when it has none."""
        found = await self._documents.get(ANALYSES, call_id)
        return _analysis(found) if found else None

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, CallAnalysis]:
        """Those of the calls' analyses that exist, by call id."""
        found: dict[str, CallAnalysis] = {}
        for ids in chunks(call_ids, MAX_IDS_PER_QUERY):
            where = {"_id": OneOf(tuple(ids))}
            async for document in self._documents.find(ANALYSES, where, sort=(("_id", 1),)):
                found[document["_id"]] = _analysis(document)
        return found


def _document(analysis: CallAnalysis) -> Document:
    """`_id` is the call's. Raw answers are JSON text: as documents their keys, which a provider
    chooses, could be ones that MongoDB refuses."""
    fields: dict[str, Any] = analysis.model_dump(exclude={"call_id", "raw"})
    raw = json.dumps(analysis.raw, ensure_ascii=False)
    return {"_id": analysis.call_id, **fields, "call_type": int(analysis.call_type), "raw": raw}


def _analysis(document: Document) -> CallAnalysis:
    fields = {key: value for key, value in document.items() if key not in {"_id", "raw"}}
    raw = json.loads(document["raw"])
    return CallAnalysis.model_validate({**fields, "call_id": document["_id"], "raw": raw})
