"""Runs: what was asked for a clinic and period, how it ended, in a form that survives restarts."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from medai.infra.documents import Change, Collection, Documents
from medai.kit.clock import Clock
from medai.kit.ids import random_id
from medai.kit.model import Frozen

RUNS = Collection("runs", indexes=(("client_id", "kind", "started_at"),))


class Run(Frozen):
    """One request for work. `first` and `last` are the dates as the client wrote them: old
    clients ask for results with the same raw texts (contract 1.1)."""

    id: str
    client_id: str
    kind: str
    first: str
    last: str
    state: Literal["running", "completed", "failed"] = "running"
    statistics: dict[str, int] = Field(default_factory=dict)
    error: str = ""
    started_at: datetime
    finished_at: datetime | None = None


class Runs:
    """Runs in the document store. Raises StoreError when the store fails."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def start(self, client_id: str, kind: str, first: str, last: str) -> Run:
        """Note a new run."""
        run = Run(
            id=random_id(),
            client_id=client_id,
            kind=kind,
            first=first,
            last=last,
            started_at=self._clock(),
        )
        fields = run.model_dump()
        await self._documents.insert(RUNS, {"_id": fields.pop("id"), **fields})
        return run

    async def complete(self, run_id: str, statistics: dict[str, int]) -> None:
        """The run did its work."""
        await self._finish(run_id, {"state": "completed", "statistics": statistics})

    async def fail(self, run_id: str, message: str) -> None:
        """The run stopped; `message` is one Russian line for a person."""
        await self._finish(run_id, {"state": "failed", "error": message})

    async def latest(self, client_id: str, kind: str, first: str, last: str) -> Run | None:
        """The newest run of this kind for exactly these raw dates, or None."""
        where = {"client_id": client_id, "kind": kind, "first": first, "last": last}
        found = self._documents.find(RUNS, where, sort=(("started_at", -1),), limit=1)
        async for document in found:
            fields = dict(document)
            return Run(id=fields.pop("_id"), **fields)
        return None

    async def _finish(self, run_id: str, fields: dict[str, Any]) -> None:
        change = Change(set={**fields, "finished_at": self._clock()})
        await self._documents.update(RUNS, run_id, change)
