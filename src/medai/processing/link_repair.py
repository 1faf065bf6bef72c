"""Recording links that came late or changed: the PBX writes the note first and the link minutes
later (amocrm.md 11.1). A sync sees events only, and no event tells of a changed note."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from medai.calls.models import Call, SkipReason, Stage, Step
from medai.calls.repository import CallRepository
from medai.calls.skips import mark_duplicates, skip_reason
from medai.clinics.repository import ClinicRepository
from medai.crm.merging import is_under_way
from medai.crm.ports import CallNote, Cards
from medai.infra.documents import MAX_IDS_PER_QUERY
from medai.kit.chunks import chunks
from medai.kit.clock import Clock
from medai.kit.days import Window
from medai.kit.text import clean
from medai.processing.ports import CrmAccounts
from medai.processing.requests import WorkRequests

LOOK_BACK = timedelta(hours=6)
"""Several intervals; what an outage lets slip is found by the daily re-scan."""
_COLLECTIONS: tuple[Cards, ...] = ("leads", "contacts", "companies")
_REVIVED = (None, SkipReason.ZERO_DURATION, SkipReason.SHORT, SkipReason.NOTE_LINK)
"""A repetition stays one, and an unreadable note has no facts: these wait for a sync."""

_log = structlog.get_logger(__name__)


class LinkRepair:
    """Fills links of stored calls. Raises the ProviderError family, StoreError."""

    def __init__(
        self,
        clinics: ClinicRepository,
        calls: CallRepository,
        accounts: CrmAccounts,
        requests: WorkRequests,
        clock: Clock,
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._accounts = accounts
        self._requests = requests
        self._clock = clock

    async def repair(self, client_id: str) -> int:
        """Take over the links of recently changed notes; returns how many calls changed."""
        crm = await self._accounts.of(await self._clinics.require(client_id))
        now = self._clock()
        window = Window(now - LOOK_BACK, now + timedelta(minutes=1))
        repaired = 0
        for collection in _COLLECTIONS:
            notes = [n async for n in crm.recent_call_notes(collection, window) if n.link]
            for some in chunks(notes, MAX_IDS_PER_QUERY):
                repaired += await self._repair_some(client_id, some)
        if repaired:
            _log.info("late recording links taken over", client_id=client_id, calls=repaired)
        return repaired

    async def _repair_some(self, client_id: str, notes: Sequence[CallNote]) -> int:
        stored = await self._calls.of_notes(client_id, [note.note_id for note in notes])
        repaired = 0
        for note in notes:
            call = stored.get(note.note_id)
            if call is not None and _differs(call, note):
                repaired += await self._take_over(call, note)
        return repaired

    async def _take_over(self, call: Call, note: CallNote) -> bool:
        fresh = await self._without_twin(_with_link(call, note))
        names = ("recording_url", "duration_seconds", "skip_reason", "duplicate_of", "stage")
        fields = {name: getattr(fresh, name) for name in names}
        fields["updated_at"] = self._clock()
        # A job may have stored the recording meanwhile: the call is not turned back.
        changed = await self._calls.change(
            call.id, fields, unset=[f"failures.{Step.RECORDING}"], where={"stage": call.stage}
        )
        if changed and (again := await self._calls.get(call.id)):
            await self._requests.resume(again)
        return changed

    async def _without_twin(self, call: Call) -> Call:
        """The revived call, marked as a repetition when another note of it is kept already.

        The other one stays, whichever note is older: it may have been worked on.
        """
        if not call.uniq or call.skip_reason is not None:
            return call
        found = await self._calls.with_uniq(call.client_id, [call.uniq])
        others = [other for other in found.values() if other.id != call.id]
        kept = {other.id for other in others if other.skip_reason is None}
        return mark_duplicates([call, *others], kept)[0] if kept else call


def _differs(call: Call, note: CallNote) -> bool:
    if is_under_way(call) or call.skip_reason not in _REVIVED:
        return False
    return call.recording_url != clean(note.link or "")


def _with_link(call: Call, note: CallNote) -> Call:
    """The call as a sync would build it from the note's link and length."""
    link = clean(note.link or "")
    reason = skip_reason(duration_seconds=note.duration_seconds, recording_url=link)
    return call.model_copy(
        update={
            "recording_url": link,
            "duration_seconds": note.duration_seconds,
            "skip_reason": reason,
            "stage": Stage.RECORDED if reason is None else Stage.SKIPPED,
        }
    )
