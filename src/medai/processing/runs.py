"""Runs: what was asked for a clinic and period, how it ended, in a form that survives restarts.

How far a run is, is counted from its calls; nothing about it is kept in memory.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from medai.errors import NotFoundError
from medai.infra.documents import Change, Collection, Document, Documents, OneOf, Range
from medai.kit.clock import Clock
from medai.kit.ids import random_id
from medai.kit.model import Frozen
from medai.processing.day_outcomes import DayOutcome

RUNS = Collection(
    "runs", indexes=(("client_id", "kind", "started_at"), ("state",), ("started_at",))
)

RunState = Literal["running", "completed", "partial", "failed", "cancelled"]
_ENDED = OneOf(("completed", "partial", "failed", "cancelled"))


def unknown_run() -> NotFoundError:
    """What is said of a run that does not exist, or not for whoever asks."""
    return NotFoundError("Запуск не найден: проверьте номер в medai runs list")


class RunKind(StrEnum):
    """What was asked for. The last four are begun by the schedule.

    `BULK` reads days one by one and keeps an outcome of each; `PROCESS` is the whole way of a
    period, from the CRM to conclusions and metrics.
    """

    CHECK = "check"
    SYNC = "sync"
    BULK = "bulk"
    PROCESS = "process"
    TRANSCRIPTION = "transcription"
    ANALYSIS = "analysis"
    EVERYTHING = "everything"
    ATTRIBUTION = "attribution"
    POLL = "poll"
    NIGHT = "night"
    RESCAN = "rescan"
    LINKS = "links"


class Phase(StrEnum):
    """What a run does next; `CALLS` is the waiting for its calls, `DIRECT` is done by the asker."""

    DIRECT = "direct"
    SYNC = "sync"
    LINKS = "links"
    CHECK = "check"
    CALLS = "calls"
    EXPORT = "export"
    CONCLUSIONS = "conclusions"
    ATTRIBUTION = "attribution"


class Run(Frozen):
    """One request for work. `first` and `last` are the dates as the client wrote them: old
    clients ask for results with the same raw texts (contract 1.1). `client_id` None: all clinics.

    `attempts` and `next_try_at` are those of the present phase, `error` its last failure;
    `trouble` is why a phase was given up without ending the run.
    `weeks` and `months` hold first days of periods to conclude, ISO.

    `next_day` is the first day (ISO) that is still to be read from the CRM, None: all of them.
    `outcomes` maps ISO days of a bulk run to what came of them; with `skip_known` days whose calls
    were stored before the run are not read.
    """

    id: str
    client_id: str | None
    kind: str
    first: str
    last: str
    origin: Literal["person", "schedule"] = "person"
    state: RunState = "running"
    phase: Phase = Phase.SYNC
    attempts: int = 0
    next_try_at: datetime | None = None
    weeks: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    next_day: str | None = None
    skip_known: bool = False
    outcomes: dict[str, DayOutcome] = Field(default_factory=dict)
    wanted: int = 0
    statistics: dict[str, int] = Field(default_factory=dict)
    error: str = ""
    trouble: str = ""
    started_at: datetime
    finished_at: datetime | None = None


class Runs:
    """Runs in the document store. Raises StoreError when the store fails."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def start(
        self,
        client_id: str | None,
        kind: str,
        first: str,
        last: str,
        *,
        phase: Phase = Phase.SYNC,
        skip_known: bool = False,
    ) -> Run:
        """Note a new run that a person asked for."""
        run = Run(
            id=random_id(),
            client_id=client_id,
            kind=kind,
            first=first,
            last=last,
            phase=phase,
            skip_known=skip_known,
            started_at=self._clock(),
        )
        await self.insert(run)
        return run

    async def insert(self, run: Run) -> bool:
        """Store a run as it is; False when its id is taken."""
        fields = run.model_dump()
        return await self._documents.insert(RUNS, {"_id": fields.pop("id"), **fields})

    async def get(self, run_id: str) -> Run | None:
        """The run, or None."""
        found = await self._documents.get(RUNS, run_id)
        return _from_document(found) if found else None

    async def require(self, run_id: str) -> Run:
        """The run. Raises NotFoundError in a form a person can act on."""
        run = await self.get(run_id)
        if run is None:
            raise unknown_run()
        return run

    async def change(self, run_id: str, **fields: Any) -> bool:
        """Set fields of a run that is still running; tells whether it was."""
        change = Change(set=fields)
        return await self._documents.update(RUNS, run_id, change, where={"state": "running"})

    async def enter(self, run_id: str, phase: Phase, **fields: Any) -> bool:
        """Begin the next phase, with attempts of its own."""
        return await self.change(
            run_id, phase=phase, attempts=0, next_try_at=None, error="", **fields
        )

    async def complete(self, run_id: str, statistics: dict[str, int]) -> None:
        """The run did its work."""
        await self.finish(run_id, "completed", statistics=statistics, error="")

    async def fail(self, run_id: str, message: str) -> None:
        """The run stopped; `message` is one Russian line for a person."""
        await self.finish(run_id, "failed", error=message)

    async def finish(self, run_id: str, state: RunState, **fields: Any) -> bool:
        """End a running run; False when it had ended already."""
        ended = {"state": state, "finished_at": self._clock(), "next_try_at": None}
        return await self.change(run_id, **fields, **ended)

    async def remember(self, run_id: str, statistics: dict[str, int]) -> None:
        """Set the counts of a run, whatever its state."""
        await self._documents.update(RUNS, run_id, Change(set={"statistics": statistics}))

    async def latest(self, client_id: str, kind: str, first: str, last: str) -> Run | None:
        """The newest run of this kind for exactly these raw dates, or None."""
        where = {"client_id": client_id, "kind": kind, "first": first, "last": last}
        async for run in self._found(where, limit=1):
            return run
        return None

    async def newest(self, client_id: str | None, limit: int) -> list[Run]:
        """The newest runs of one clinic or of all, newest first."""
        where = {} if client_id is None else {"client_id": client_id}
        return [run async for run in self._found(where, limit=limit)]

    def running(self, client_id: str | None = None) -> AsyncIterator[Run]:
        """Runs that have not ended, newest first."""
        where: dict[str, Any] = {"state": "running"}
        return self._found(where if client_id is None else {**where, "client_id": client_id})

    def begun(self, kind: str, since: datetime) -> AsyncIterator[Run]:
        """Runs of a kind that were begun from a moment on, newest first."""
        return self._found({"kind": kind, "started_at": Range(at_least=since)})

    async def forget(self, before: datetime) -> int:
        """Delete runs that ended before this moment; returns how many."""
        old = {"state": _ENDED, "started_at": Range(below=before)}
        return await self._documents.delete(RUNS, old)

    async def forget_of(self, client_id: str, kind: str) -> int:
        """Delete the clinic's ended runs of one kind; returns how many."""
        where = {"client_id": client_id, "kind": kind, "state": _ENDED}
        return await self._documents.delete(RUNS, where)

    async def _found(self, where: Document, limit: int | None = None) -> AsyncIterator[Run]:
        sort = (("started_at", -1),)
        async for document in self._documents.find(RUNS, where, sort=sort, limit=limit):
            yield _from_document(document)


def _from_document(document: Document) -> Run:
    fields = dict(document)
    return Run(id=fields.pop("_id"), **fields)
