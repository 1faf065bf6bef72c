"""The events export of old clients: begun, asked about, forgotten (contract 1.1)."""

from dataclasses import dataclass

from medai.calls.models import Call, SkipReason
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.crm.accounts import AmocrmAccounts
from medai.kit.clock import Clock
from medai.kit.days import DayRange, business_day, parse_day, parse_range, zone
from medai.processing.person_requests import PersonRequests
from medai.processing.runs import Run, RunKind, Runs

SAMPLE_SIZE = 5


@dataclass(frozen=True, slots=True)
class Begun:
    """The run and its dates as results are asked for. `is_empty`: the days have not come yet."""

    run_id: str
    first: str
    last: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class StoredDay:
    """Calls of one day that are stored now."""

    clinic: Clinic
    days: DayRange
    total: int
    normal: int
    short: int
    sample: list[Call]


class EventsExport:
    """Raises InvalidInputError for bad dates, NotFoundError for an unknown clinic, StoreError."""

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        calls: CallRepository,
        accounts: AmocrmAccounts,
        runs: Runs,
        asked: PersonRequests,
        clock: Clock,
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._accounts = accounts
        self._runs = runs
        self._asked = asked
        self._clock = clock

    async def begin(self, client_id: str, first: str | None, last: str | None) -> Begun:
        """Queue the sync; without dates of today in the clinic's zone.

        Raises InvalidInputError also for a clinic that is not connected to its CRM.
        """
        clinic = await self._clinics.require(client_id)
        today = business_day(self._clock(), zone(clinic.timezone))
        begin = first or last or today.isoformat()
        end = last or begin
        days = parse_range(begin, end)
        await self._accounts.check_connected(clinic)
        run_id = await self._asked.sync(client_id, begin, end)
        return Begun(run_id, begin, end, is_empty=days.first > today)

    async def ended(
        self, client_id: str, first: str, last: str, run_id: str | None = None
    ) -> Run | None:
        """The newest run for exactly these raw dates, or the one with this id, if it has ended."""
        run = await self._runs.latest(client_id, RunKind.SYNC, first, last)
        if run is not None and run_id and run.id != run_id:
            run = await self._of_clinic(run_id, client_id)
        return run if run is not None and run.state != "running" else None

    async def day(self, client_id: str, text: str) -> StoredDay:
        """What is stored of one day."""
        clinic = await self._clinics.require(client_id)
        day = parse_day(text)
        days = DayRange(day, day)
        counts = await self._calls.count_by("skip_reason", client_id, days)
        return StoredDay(
            clinic,
            days,
            total=sum(counts.values()),
            normal=counts.get(None, 0),
            short=counts.get(SkipReason.SHORT, 0) + counts.get(SkipReason.ZERO_DURATION, 0),
            sample=await self._calls.newest(client_id, days, SAMPLE_SIZE),
        )

    async def forget(self, client_id: str) -> int:
        """Delete the statistics of the clinic's ended exports, never calls; returns how many."""
        await self._clinics.require(client_id)
        return await self._runs.forget_of(client_id, RunKind.SYNC)

    async def _of_clinic(self, run_id: str, client_id: str) -> Run | None:
        run = await self._runs.get(run_id)
        return run if run and (run.client_id, run.kind) == (client_id, RunKind.SYNC) else None
