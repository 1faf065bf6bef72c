"""Bulk syncs as old clients ask for them: queued, carried out by workers, waited for."""

from collections.abc import Sequence

from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.crm.accounts import AmocrmAccounts
from medai.errors import NotFoundError
from medai.kit.clock import Clock
from medai.kit.days import DayRange, business_day, parse_day, parse_range, zone
from medai.processing.person_requests import PersonRequests
from medai.processing.schedule.rules import RESCAN_DAYS
from medai.processing.waiting import Question, Waited, Waiting


class BulkSyncs:
    """One day or a range, of one clinic or of many. Raises InvalidInputError for bad dates,
    NotFoundError for an unknown clinic, StoreError."""

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        calls: CallRepository,
        accounts: AmocrmAccounts,
        asked: PersonRequests,
        waiting: Waiting,
        clock: Clock,
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._accounts = accounts
        self._asked = asked
        self._waiting = waiting
        self._clock = clock

    async def clinic(self, client_id: str | None) -> Clinic:
        """The named clinic; without a name the one whose token is newest (contract 1.1)."""
        named = client_id or await self._accounts.newest()
        if named is None:
            raise NotFoundError("Ни одна клиника не подключена к amoCRM: подключите её")
        return await self._clinics.require(named)

    def today(self, clinic: Clinic) -> str:
        """Today in the clinic's zone, ISO."""
        return business_day(self._clock(), zone(clinic.timezone)).isoformat()

    async def is_stored(self, clinic: Clinic, text: str) -> bool:
        """Whether any call of the day is stored."""
        day = parse_day(text)
        return bool(await self._calls.newest(clinic.client_id, DayRange(day, day), 1))

    async def refresh(self, clinic: Clinic, text: str) -> str | None:
        """Queue a sync of a stored day whose calls may still change; the run's id."""
        age = business_day(self._clock(), zone(clinic.timezone)) - parse_day(text)
        if age.days > RESCAN_DAYS:
            return None
        return (await self._asked.bulk(clinic.client_id, text, text)).id

    async def read_day(self, clinic: Clinic, text: str, has_left: Question) -> Waited:
        """Sync one day, whatever is stored, and wait."""
        run = await self._asked.bulk(clinic.client_id, text, text)
        return await self._waiting.until_ended([run.id], has_left)

    async def read_range(
        self, client_ids: Sequence[str], first: str, last: str, has_left: Question
    ) -> Waited:
        """Sync the days of all these clinics, which take turns, and wait.

        Days that are stored and over for long are skipped.
        """
        parse_range(first, last)
        runs = [
            await self._asked.bulk(client_id, first, last, skip_known=True)
            for client_id in client_ids
        ]
        return await self._waiting.until_ended([run.id for run in runs], has_left)

    async def with_crm(self) -> list[str]:
        """client_ids of all clinics that have a CRM, by name."""
        return [clinic.client_id async for clinic in self._clinics.all() if clinic.subdomain]
