"""Calls in the document store."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from medai.calls.models import Call, Stage
from medai.calls.standing import GROUPED_BY, Standing, standing_of
from medai.errors import InvalidInputError, NotFoundError, StoredDataError
from medai.infra.documents import (
    MAX_IDS_PER_QUERY,
    Change,
    Collection,
    Document,
    Documents,
    Not,
    OneOf,
    Range,
    Sort,
    Where,
)
from medai.kit.chunks import chunks
from medai.kit.days import DayRange

CALLS = Collection(
    "calls",
    unique=(("client_id", "note_id"),),
    indexes=(
        ("client_id", "business_day"),
        ("business_day",),
        ("client_id", "uniq"),
        ("client_id", "lead_id"),
        ("stage", "business_day"),
        ("note_id",),
        ("transcript.filename",),
        ("run_id", "client_id", "business_day"),
        ("analysis.analysed_at",),
    ),
)

DUPLICATE_CALLS = Collection("call_duplicates", indexes=(("call_id",), ("filename",)))
"""Of a restored dump that held a note twice: the other documents, by their old ids. `call_id` is
the kept call: links of old boards and reports lead there. `filename` is of its transcript."""

_CALLS_AT_ONCE = 100
"""Writing down more at once would keep the process from answering anybody for too long."""

_GROUPS_AT_ONCE = 200
"""Reading more without a pause (2 ms) would keep others who ask waiting."""


def to_document(call: Call) -> Document:
    """The stored form: the model's own fields with `_id` instead of `id`."""
    fields = call.model_dump()
    return {"_id": fields.pop("id"), **fields, "business_day": call.business_day.isoformat()}


def from_document(document: Document) -> Call:
    """The model behind a stored document. Raises StoredDataError when it is none of ours."""
    fields = {name: value for name, value in document.items() if name != "legacy"}
    try:
        return Call(id=fields.pop("_id"), **fields)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(one["loc"][0]) for one in error.errors()}))
        raise StoredDataError(
            f"Звонок {document['_id']} хранится с ошибкой (поля {wrong}): исправьте его документ"
            " или удалите"
        ) from error


_BY_TIME: Sort = (("business_day", 1), ("started_at", 1))
_NOTE_IN_NAME = re.compile(r"(?:note_|call_)(\d{1,18})(?!\d)")


class CallRepository:
    """Reads and writes calls. Raises StoreError when the store fails."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def get(self, call_id: str) -> Call | None:
        """The call with this id, or None. The id of a duplicate leads to the call that was kept."""
        found = await self._documents.get(CALLS, call_id)
        if found is None and (duplicate := await self._documents.get(DUPLICATE_CALLS, call_id)):
            found = await self._documents.get(CALLS, duplicate["call_id"])
        return from_document(found) if found else None

    async def of_notes(
        self, client_id: str, note_ids: Sequence[int | str]
    ) -> dict[int | str, Call]:
        """The clinic's stored calls behind these notes, by note id.

        The note is the key, not our id: calls of a restored dump keep the ids of their old links.
        """
        found = await self._by(note_ids, "note_id", {"client_id": client_id})
        return {call.note_id: call for call in found.values()}

    async def require_note(self, client_id: str | None, note_id: int | str) -> Call:
        """The stored call behind a note; without a clinic it is looked for in all of them.

        Raises NotFoundError, and InvalidInputError when several clinics have a note of this id.
        """
        clinic = {} if client_id is None else {"client_id": client_id}
        found = await self._by([note_id], "note_id", clinic)
        if len(found) > 1:
            raise InvalidInputError("Такой note_id есть у нескольких клиник: укажите client_id")
        if not found:
            raise NotFoundError("Звонок не найден: проверьте note_id и client_id")
        return next(iter(found.values()))

    async def with_uniq(self, client_id: str, uniq: Iterable[str]) -> dict[str, Call]:
        """Stored calls of the clinic that carry one of these PBX ids, by call id."""
        return await self._by(sorted(uniq), "uniq", {"client_id": client_id})

    async def of_leads(self, client_id: str, lead_ids: Iterable[int]) -> dict[str, Call]:
        """Stored calls of the clinic that belong to one of these leads, by call id."""
        return await self._by(sorted(lead_ids), "lead_id", {"client_id": client_id})

    def of_days(
        self,
        client_id: str | None,
        days: DayRange | None,
        *,
        where: Where | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Call]:
        """Calls by business day and time; None means all clinics or all days."""
        return self._find({**days_filter(client_id, days), **(where or {})}, limit=limit)

    async def newest(self, client_id: str, days: DayRange, at_most: int) -> list[Call]:
        """The latest calls of the days, skipped ones included, newest first."""
        where = days_filter(client_id, days)
        sort = (("business_day", -1), ("started_at", -1))
        found = self._documents.find(CALLS, where, sort=sort, limit=at_most)
        return [from_document(document) async for document in found]

    async def analysed_calls(self, client_id: str | None, days: DayRange) -> list[Call]:
        """Calls of the days that have an analysis."""
        where = {"stage": OneOf((Stage.ANALYSED.value, Stage.EXPORTED.value))}
        return [call async for call in self.of_days(client_id, days, where=where)]

    async def with_transcript(self, filename: str) -> Call | None:
        """The call whose transcript has this file name, or None."""
        async for call in self._find({"transcript.filename": filename}, limit=1):
            return call
        by_id = (("_id", 1),)
        where = {"filename": filename}
        async for duplicate in self._documents.find(DUPLICATE_CALLS, where, sort=by_id, limit=1):
            return await self.get(duplicate["call_id"])
        return None

    async def with_audio(self, filename: str) -> Call | None:
        """The call whose recording is stored under this base name, or None.

        Ours are named by the call, those of the replaced system by the note (contract 2.3).
        """
        named = await self.get(filename.partition(".")[0])
        candidates = [named] if named else []
        if found := _NOTE_IN_NAME.search(filename):
            candidates += [call async for call in self._find({"note_id": int(found[1])}, limit=20)]
        fitting = (c for c in candidates if c.audio and _base(c.audio.file) == filename)
        return next(fitting, None)

    async def of_ids(self, call_ids: Sequence[str]) -> dict[str, Call]:
        """Those of the calls that exist, by id."""
        return await self._by(call_ids, "_id", {})

    def newest_transcribed(self, where: Where, *, limit: int) -> AsyncIterator[Call]:
        """Calls with a transcript, the newest transcript first."""
        full = {"transcript": Not(None), **where}
        return self._find(full, sort=(("transcript.transcribed_at", -1),), limit=limit)

    async def unfinished(self, first: date) -> AsyncIterator[Call]:
        """Calls from this business day on for which something may be left to do.

        Some of them are done or have failed for good: `life.open_steps` tells.
        """
        for where in _UNFINISHED:
            days = {"business_day": Range(at_least=_iso(first))}
            async for call in self._find({**where, **days, "skip_reason": None}):
                yield call

    async def oldest_unfinished(self, first: date, at_most: int) -> AsyncIterator[Call]:
        """The oldest calls for which something may be left to do, so many of each kind."""
        for where in _UNFINISHED:
            days = {"business_day": Range(at_least=_iso(first))}
            full: Where = {**where, **days, "skip_reason": None}
            async for call in self._find(full, limit=at_most):
                yield call

    async def insert(self, call: Call) -> bool:
        """Store a new call; False when its note is stored already."""
        return await self._documents.insert(CALLS, to_document(call))

    async def insert_many(self, calls: Sequence[Call]) -> int:
        """Store calls that are known to be new (the clinic's sync lock is held)."""
        stored = 0
        for piece in chunks(calls, _CALLS_AT_ONCE):
            stored += await self._documents.put_many(CALLS, [to_document(call) for call in piece])
        return stored

    async def change(
        self,
        call_id: str,
        fields: dict[str, Any],
        *,
        unset: Sequence[str] = (),
        where: Where | None = None,
    ) -> bool:
        """Set and remove fields of one call if it fulfils `where`; tells whether it did."""
        change = Change(set=fields, unset=unset)
        return await self._documents.update(CALLS, call_id, change, where=where)

    async def advance(self, call_id: str, stage: Stage) -> bool:
        """Move the call forward to a stage; a call that is further already stays there."""
        earlier = OneOf(tuple(s.value for s in Stage if s.rank < stage.rank))
        change = Change(set={"stage": stage.value})
        return await self._documents.update(CALLS, call_id, change, where={"stage": earlier})

    async def change_many(
        self, call_ids: Sequence[str], fields: dict[str, Any], *, where: Where | None = None
    ) -> int:
        """Set the same fields of those of the calls that fulfil `where`; returns how many."""
        changed = 0
        for ids in chunks(call_ids, MAX_IDS_PER_QUERY):
            full: Where = {**(where or {}), "_id": OneOf(tuple(ids))}
            changed += await self._documents.update_many(CALLS, full, Change(set=fields))
        return changed

    async def count_by(
        self, path: str, client_id: str | None, days: DayRange | None, where: Where | None = None
    ) -> dict[Any, int]:
        """How many calls of the days (None: of all) hold each value of a field."""
        full: Where = {**days_filter(client_id, days), **(where or {})}
        return {value: n for (value,), n in await self._documents.groups(CALLS, [path], full)}

    async def standings(
        self, client_id: str | None, days: DayRange, where: Where | None = None
    ) -> list[tuple[Standing, int]]:
        """How the calls of the days stand, skipped ones included, and how many stand so."""
        full: Where = {**days_filter(client_id, days), **(where or {})}
        found: list[tuple[Standing, int]] = []
        for piece in chunks(await self._documents.groups(CALLS, GROUPED_BY, full), _GROUPS_AT_ONCE):
            found += [(standing_of(values), count) for values, count in piece]
            await asyncio.sleep(0)
        return found

    async def _find(
        self, where: Where, *, limit: int | None = None, sort: Sort = _BY_TIME
    ) -> AsyncIterator[Call]:
        async for document in self._documents.find(CALLS, where, sort=sort, limit=limit):
            yield from_document(document)

    async def _by(self, values: Sequence[Any], path: str, where: Where) -> dict[str, Call]:
        found: dict[str, Call] = {}
        for start in range(0, len(values), MAX_IDS_PER_QUERY):
            chunk = OneOf(tuple(values[start : start + MAX_IDS_PER_QUERY]))
            async for call in self._find({**where, path: chunk}):
                found[call.id] = call
        return found


def days_filter(client_id: str | None, days: DayRange | None) -> dict[str, Any]:
    """The filter of a clinic's business days; None leaves a side open."""
    where: dict[str, Any] = {}
    if client_id is not None:
        where["client_id"] = client_id
    if days is not None:
        where["business_day"] = Range(at_least=_iso(days.first), at_most=_iso(days.last))
    return where


def _iso(day: date) -> str:
    return day.isoformat()


def _base(name: str) -> str:
    return name.rpartition("/")[2]


_ASKED = Not(None)
_LATE = OneOf((Stage.ANALYSED.value, Stage.EXPORTED.value))
_UNFINISHED: tuple[dict[str, Any], ...] = (
    {"stage": Stage.RECORDED.value, "transcription_requested_at": _ASKED},
    {"stage": Stage.AUDIO_STORED.value, "transcription_requested_at": _ASKED},
    {"stage": Stage.TRANSCRIBED.value},
    {"stage": Stage.NOTED.value, "analysis": None, "analysis_requested_at": _ASKED},
    {"stage": _LATE, "crm_note": None, "origin": "amocrm"},
    {"stage": _LATE, "analysis": None, "analysis_requested_at": _ASKED},
    {"stage": _LATE, "analysis_again_at": _ASKED},
)
"""One query each: the store has no "or"."""

AFTER_TRANSCRIPT = tuple(stage for stage in Stage if stage.rank >= Stage.TRANSCRIBED.rank)
"""Stages in which a transcript exists."""
