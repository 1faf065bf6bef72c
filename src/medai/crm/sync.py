"""Pulling a clinic's calls out of its CRM (design 5.1), in chunks, as one idempotent upsert."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from medai.calls.conversion import LeadSnapshot, enrich_calls_with_conversion, own_writes
from medai.calls.models import Call, SkipReason, Step
from medai.calls.repository import CallRepository
from medai.calls.skips import mark_duplicates, skip_reason
from medai.clinics.models import Clinic
from medai.crm.building import Surroundings, build_call, missing_note_call
from medai.crm.merging import changed_fields, is_under_way
from medai.crm.ports import CallEvent, CallNote, Cards, Crm, Happenings
from medai.kit.chunks import chunks
from medai.kit.clock import Clock
from medai.kit.days import DayRange, Window, range_window, zone

_log = structlog.get_logger(__name__)

OVERLAP = timedelta(minutes=10)
"""Events appear late and edges of the CRM's filter are not documented (amocrm.md 3.1, 13.5)."""

CHUNK_CALLS = 1000
"""Calls held in memory at once; large enough that CRM batches stay full."""

_PIECE_CALLS = 100
"""Calls between two pauses, in which the process answers whoever asks how far it is."""

_COLLECTIONS: tuple[Cards, ...] = ("leads", "contacts", "companies")


@dataclass(slots=True)
class SyncResult:
    """What one sync did. `found` counts distinct calls of the asked days."""

    found: int = 0
    kept: int = 0
    skipped: dict[SkipReason, int] = field(default_factory=dict)
    created: int = 0
    """Calls stored for the first time, skipped ones included."""
    created_kept: int = 0
    changed: int = 0
    rebooked: list[str] = field(default_factory=list)
    """Calls whose conversion changed: if they are analysed, their booking score is due."""
    touched_days: set[date] = field(default_factory=set)
    """Business days with calls that are new or changed: their metrics are due."""

    def count(self, call: Call) -> None:
        """Enter one call of the asked days."""
        self.found += 1
        if call.skip_reason is None:
            self.kept += 1
        else:
            self.skipped[call.skip_reason] = self.skipped.get(call.skip_reason, 0) + 1


class SyncService:
    """Finds the calls of business days and stores what the CRM says about them."""

    def __init__(self, calls: CallRepository, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def sync(
        self, clinic: Clinic, crm: Crm, days: DayRange, result: SyncResult | None = None
    ) -> SyncResult:
        """Bring the clinic's calls of these days up to date.

        The caller holds the clinic's sync lock. Raises the ProviderError family and StoreError;
        what was stored before the failure stays. A given `result` is filled as the sync goes, so
        that after a failure the consequences of what was stored are known: the next sync would
        see no change any more.
        """
        run = _Run(clinic, crm, days, self._calls, self._clock, result or SyncResult())
        return await run.execute()


class _Run:
    """One sync with what its steps share."""

    def __init__(
        self,
        clinic: Clinic,
        crm: Crm,
        days: DayRange,
        calls: CallRepository,
        clock: Clock,
        result: SyncResult,
    ) -> None:
        self._clinic = clinic
        self._crm = crm
        self._days = days
        self._calls = calls
        self._clock = clock
        self._tz: ZoneInfo = zone(clinic.timezone)
        self._user_names: Mapping[int, str] = {}
        self._result = result

    async def execute(self) -> SyncResult:
        happenings = await self._happenings()
        if happenings.calls:
            self._user_names = {user.id: user.name for user in await self._crm.users()}
        for chunk in chunks(_one_per_note(happenings.calls), CHUNK_CALLS):
            await self._sync_chunk(chunk, happenings)
        await self._reevaluate_earlier_calls(happenings)
        _log.info(
            "calls synced",
            client_id=self._clinic.client_id,
            found=self._result.found,
            kept=self._result.kept,
            created=self._result.created,
            changed=self._result.changed,
        )
        return self._result

    async def _happenings(self) -> Happenings:
        asked = range_window(self._days, self._tz)
        late = timedelta(days=self._clinic.conversion_window_days)
        window = Window(asked.start - OVERLAP, asked.end + OVERLAP + late)
        config = self._clinic.conversion_config
        target = config.confirmation_field if config else None
        return await self._crm.happenings(
            window, confirmation_field=target.field_id if target else None
        )

    async def _sync_chunk(self, events: Sequence[CallEvent], happenings: Happenings) -> None:
        notes = await self._notes(events)
        around, snapshots = await self._surroundings(notes)
        now = self._clock()
        fresh: list[Call] = []
        for piece in chunks(events, _PIECE_CALLS):
            fresh += [
                build_call(self._clinic, notes[e.note_id], e, around, tz=self._tz, now=now)
                if e.note_id in notes
                else missing_note_call(self._clinic, e, tz=self._tz, now=now)
                for e in piece
            ]
            await asyncio.sleep(0)
        asked = [call for call in fresh if self._days.first <= call.business_day <= self._days.last]
        judged = enrich_calls_with_conversion(
            asked,
            self._clinic.conversion_config,
            status_changes=happenings.status_changes,
            field_changes=happenings.field_changes,
            leads=snapshots,
            tz=self._tz,
            window_days=self._clinic.conversion_window_days,
            written=await self._own_writes(snapshots),
        )
        await self._store(judged)

    async def _own_writes(self, snapshots: Mapping[int, LeadSnapshot]) -> dict[int, Any]:
        """When we wrote on leads whose present value could be taken for a confirmation."""
        config = self._clinic.conversion_config
        target = config.confirmation_field if config else None
        if target is None:
            return {}
        holders = [lead.lead_id for lead in snapshots.values() if target.field_id in lead.fields]
        stored = await self._calls.of_leads(self._clinic.client_id, holders)
        return own_writes(stored.values())

    async def _notes(self, events: Sequence[CallEvent]) -> dict[int, CallNote]:
        found: dict[int, CallNote] = {}
        for collection in _COLLECTIONS:
            ids = [event.note_id for event in events if event.collection == collection]
            if ids:
                async for note in self._crm.call_notes(collection, ids):
                    found[note.note_id] = note
        return found

    async def _surroundings(
        self, notes: Mapping[int, CallNote]
    ) -> tuple[Surroundings, dict[int, LeadSnapshot]]:
        """Cards around the calls that are kept; details of skipped calls are not paid for."""
        kept = [note for note in notes.values() if not _skipped(note)]
        companies = await self._crm.cards("companies", _holders(kept, "companies"))
        contacts = await self._crm.cards("contacts", _holders(kept, "contacts"))
        lead_ids = set(_holders(kept, "leads"))
        for card in (*companies.values(), *contacts.values()):
            lead_ids.update(card.lead_ids)
        leads = await self._crm.leads(lead_ids)
        named = {i for lead in leads.values() for i in lead.contact_ids[:1]}
        named.update(i for company in companies.values() for i in company.contact_ids[:1])
        contacts |= await self._crm.cards("contacts", named - contacts.keys())
        snapshots = {
            lead.id: LeadSnapshot(lead.id, lead.updated_at, lead.values) for lead in leads.values()
        }
        return Surroundings(leads, contacts, companies, self._user_names), snapshots

    async def _store(self, calls: Sequence[Call]) -> None:
        client_id = self._clinic.client_id
        stored = await self._calls.of_notes(client_id, [call.note_id for call in calls])
        fresh = [_with_id_of(stored.get(call.note_id), call) for call in calls]
        found = await self._calls.with_uniq(client_id, {call.uniq for call in calls if call.uniq})
        known = {call.id: call for call in stored.values()}
        twins = [twin for twin in found.values() if twin.id not in known]
        under_way = {call.id for call in (*known.values(), *twins) if is_under_way(call)}
        marked = mark_duplicates([*fresh, *twins], under_way)
        await self._insert([call for call in marked[: len(fresh)] if call.id not in known])
        for call in marked[: len(fresh)]:
            before = known.get(call.id)
            # A call under way is not turned back, so it counts as what it is.
            self._result.count(before if before and is_under_way(before) else call)
            if before:
                await self._update(before, call)
        # A twin of another day may have turned out to be the repetition.
        for twin, again in zip(twins, marked[len(fresh) :], strict=True):
            await self._update(twin, again)

    async def _insert(self, calls: Sequence[Call]) -> None:
        if calls:
            self._result.created += await self._calls.insert_many(calls)
            self._result.touched_days.update(call.business_day for call in calls)
            self._result.created_kept += sum(call.skip_reason is None for call in calls)

    async def _update(self, stored: Call, fresh: Call) -> None:
        changes = changed_fields(stored, fresh, self._clinic)
        if not changes:
            return
        changes["updated_at"] = self._clock()
        # A job may have advanced the call since it was read: its stage is not ours to turn back.
        where = {"stage": stored.stage} if "stage" in changes else None
        # Another link deserves another try, even if the old one failed for good.
        unset = [f"failures.{Step.RECORDING}"] if changes.get("recording_url") else []
        if await self._calls.change(stored.id, changes, unset=unset, where=where):
            self._result.changed += 1
            self._note_consequences(stored, changes)

    def _note_consequences(self, stored: Call, changes: Mapping[str, Any]) -> None:
        self._result.touched_days.update(
            {stored.business_day, changes.get("business_day", stored.business_day)}
        )
        if "converted" in changes:
            self._result.rebooked.append(stored.id)

    async def _reevaluate_earlier_calls(self, happenings: Happenings) -> None:
        """Calls of earlier days whose conversion window is still open (design 5.3)."""
        if not self._clinic.conversion_window_days:
            return
        leads = {change.lead_id for change in happenings.status_changes}
        leads.update(change.lead_id for change in happenings.field_changes)
        earlier = await self._calls.of_leads(self._clinic.client_id, leads)
        open_calls = [
            call
            for call in earlier.values()
            if call.business_day < self._days.first and call.skip_reason is None
        ]
        judged = enrich_calls_with_conversion(
            open_calls,
            self._clinic.conversion_config,
            status_changes=happenings.status_changes,
            field_changes=happenings.field_changes,
            leads={},
            tz=self._tz,
            window_days=self._clinic.conversion_window_days,
        )
        for before, after in zip(open_calls, judged, strict=True):
            await self._update(before, after)


def _one_per_note(events: Iterable[CallEvent]) -> list[CallEvent]:
    """Events by note id; of several about one note the first counts."""
    by_note: dict[int, CallEvent] = {}
    for event in sorted(events, key=lambda each: (each.note_id, each.at, each.event_id)):
        by_note.setdefault(event.note_id, event)
    return list(by_note.values())


def _with_id_of(stored: Call | None, fresh: Call) -> Call:
    """The fresh call under the id that its note is stored with."""
    return fresh.model_copy(update={"id": stored.id}) if stored else fresh


def _skipped(note: CallNote) -> bool:
    reason = skip_reason(duration_seconds=note.duration_seconds, recording_url=note.link)
    return reason is not None


def _holders(notes: Iterable[CallNote], collection: Cards) -> set[int]:
    return {note.entity_id for note in notes if note.collection == collection}
