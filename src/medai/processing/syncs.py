"""Syncs as runs: one at a time per clinic, statistics kept, consequences queued."""

from medai.calls.models import SkipReason
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.crm.detection import ensure_conversion_config
from medai.crm.sync import SyncResult, SyncService
from medai.datalens.days import ExportDays
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.processing.ports import CrmAccounts, Locks
from medai.processing.rescoring import BookingRescore
from medai.processing.retries import failure_message
from medai.processing.runs import Runs


class Syncs:
    """Brings a clinic's days up to date and lets the changes take effect."""

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        calls: CallRepository,
        accounts: CrmAccounts,
        export_days: ExportDays,
        rescore: BookingRescore,
        runs: Runs,
        locks: Locks,
        clock: Clock,
    ) -> None:
        self._clinics = clinics
        self._accounts = accounts
        self._export_days = export_days
        self._rescore = rescore
        self._runs = runs
        self._locks = locks
        self._clock = clock
        self._service = SyncService(calls, clock)

    async def run(self, client_id: str, days: DayRange, *, run_id: str | None = None) -> SyncResult:
        """Sync the days; the outcome is written to the run, success or failure.

        Raises NotFoundError for an unknown clinic, the ProviderError family and StoreError.
        """
        try:
            result = await self._synced(client_id, days)
        except Exception as error:
            if run_id is not None:
                await self._runs.fail(run_id, failure_message(error))
            raise
        if run_id is not None:
            await self._runs.complete(run_id, statistics(result))
        return result

    async def _synced(self, client_id: str, days: DayRange) -> SyncResult:
        clinic = await self._clinics.require(client_id)
        crm = await self._accounts.of(clinic)
        clinic = await ensure_conversion_config(clinic, crm, self._clinics, self._clock)
        result = SyncResult()
        try:
            async with self._locks.hold(f"sync:{client_id}"):
                await self._service.sync(clinic, crm, days, result)
        finally:
            # Even half a sync has consequences: the next one would see no change any more.
            await self._take_effect(clinic, result)
        return result

    async def _take_effect(self, clinic: Clinic, result: SyncResult) -> None:
        for call_id in result.rebooked:
            await self._rescore.apply(call_id)
        for day in result.touched_days:
            await self._export_days.touch(clinic.client_id, day)


def statistics(result: SyncResult) -> dict[str, int]:
    """The counters of contract 2.2 `call_status`; calls known before count as duplicates."""
    skipped = result.skipped
    known = result.kept - result.created_kept
    return {
        "total_found": result.found,
        "total_processed": result.found,
        "saved_to_db": result.created_kept,
        "filtered_zero_duration": skipped.get(SkipReason.ZERO_DURATION, 0),
        "filtered_short_calls": skipped.get(SkipReason.SHORT, 0),
        "filtered_duplicates": skipped.get(SkipReason.DUPLICATE, 0) + known,
        "filtered_note_links": skipped.get(SkipReason.NOTE_LINK, 0),
        "processing_errors": skipped.get(SkipReason.NOTE_MISSING, 0),
    }
