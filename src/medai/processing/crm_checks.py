"""Comparing what the CRM has for some days with what is stored: nothing is changed (contract 1.5).

The result is a JSON file in the file store, so any process can show it, also after a restart.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository
from medai.crm.event_log import notes_of
from medai.crm.log_statistics import repetitions
from medai.crm.lookups import Readers
from medai.crm.ports import CallNote
from medai.crm.reading import CrmReader, LoggedEvent
from medai.infra.documents import MAX_IDS_PER_QUERY
from medai.infra.files import Files
from medai.kit.chunks import chunks
from medai.kit.days import DayRange, business_day, range_window, zone

MOST_CHECKED_DAYS = 92
"""A quarter: its calls fit into memory."""
MOST_NAMED = 500
"""Missing calls that the result names; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the CRM holds for the days. `events` are one per call note, oldest first."""

    events: Sequence[LoggedEvent]
    notes: dict[int, CallNote]
    leads_by_day: Counter[date]


class CrmChecks:
    """Makes comparisons and keeps their results. Raises the ProviderError family, StoreError."""

    def __init__(
        self, clinics: ClinicRepository, calls: CallRepository, readers: Readers, files: Files
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._readers = readers
        self._files = files

    async def check(self, run_id: str, client_id: str, days: DayRange) -> dict[str, int]:
        """Compare and store the result under the run; returns its numbers."""
        clinic = await self._clinics.require(client_id)
        tz = zone(clinic.timezone)
        found = await _found(await self._readers.reader(clinic), days, tz)
        missing = await self._missing(client_id, found.events)
        stored = await self._calls.count_by("client_id", client_id, days)
        numbers = {
            **_numbers(found),
            "stored_calls": sum(stored.values()),
            "missing_calls": len(missing),
        }
        by_day = _by_day(found, days)
        statistics = {
            **numbers,
            "missing_note_ids": missing[:MOST_NAMED],
            "leads_by_date": by_day,
            "formatted_report": _report(numbers, by_day, days),
        }
        result = {"success": True, "task_id": run_id, "statistics": statistics}
        await self._files.write(_name(run_id), json.dumps(result, ensure_ascii=False).encode())
        return numbers

    async def result(self, run_id: str) -> dict[str, Any]:
        """The stored result. Raises NotFoundError when there is none (any more)."""
        result: dict[str, Any] = json.loads(await self._files.read(_name(run_id)))
        return result

    async def _missing(self, client_id: str, events: Sequence[LoggedEvent]) -> list[int]:
        """Notes of calls that are not stored; skipped calls are stored too."""
        missing: list[int] = []
        for some in chunks([event.note_id for event in events], MAX_IDS_PER_QUERY):
            ids = [note_id for note_id in some if note_id is not None]
            stored = await self._calls.of_notes(client_id, ids)
            missing += [note_id for note_id in ids if note_id not in stored]
        return missing


async def _found(crm: CrmReader, days: DayRange, tz: ZoneInfo) -> Found:
    window = range_window(days, tz)
    by_note: dict[int, LoggedEvent] = {}
    async for event in crm.logged_calls(window):
        if event.note_id is not None and event.at in window:
            by_note.setdefault(event.note_id, event)
    events = sorted(by_note.values(), key=lambda event: (event.at, event.id))
    leads = await crm.leads_created(window)
    created = Counter(business_day(lead.created_at, tz) for lead in leads if lead.created_at)
    return Found(events, await notes_of(crm, events), created)


def _numbers(found: Found) -> dict[str, int]:
    of_kind = Counter(event.entity_type for event in found.events)
    repeated = repetitions(found.notes.values())
    lengths = [found.notes[e.note_id] for e in found.events if e.note_id in found.notes]
    return {
        "total_leads": found.leads_by_day.total(),
        "calls_from_leads": of_kind["lead"],
        "calls_from_contacts": of_kind["contact"],
        "calls_from_companies": of_kind["company"],
        "total_calls": len(found.events),
        "zero_duration_calls": sum(note.duration_seconds == 0 for note in lengths),
        "duplicates_found": repeated,
        "unique_calls": len(found.events) - repeated,
    }


def _by_day(found: Found, days: DayRange) -> list[dict[str, Any]]:
    return [{"date": f"{day:%d.%m.%Y}", "total": found.leads_by_day[day]} for day in days]


def _report(numbers: dict[str, int], by_day: Sequence[dict[str, Any]], days: DayRange) -> str:
    lines = [
        f"Сверка с amoCRM за {days.first:%d.%m.%Y} - {days.last:%d.%m.%Y}",
        f"Сделок создано: {numbers['total_leads']}",
        *(f"  {one['date']}: {one['total']}" for one in by_day),
        f"Звонков в amoCRM: {numbers['total_calls']}",
        f"  в сделках: {numbers['calls_from_leads']}",
        f"  в контактах: {numbers['calls_from_contacts']}",
        f"  в компаниях: {numbers['calls_from_companies']}",
        f"Нулевых: {numbers['zero_duration_calls']}, повторов: {numbers['duplicates_found']}",
        f"Сохранено у нас: {numbers['stored_calls']}, не хватает: {numbers['missing_calls']}",
    ]
    return "\n".join(lines)


def _name(run_id: str) -> str:
    # Below the reports, so that retention forgets it like any of them.
    return f"reports/checks/{run_id}.json"
