"""Conclusions of a period for a person who asks, and their way to the boards (contract 1.3)."""

from dataclasses import dataclass

from medai.analysis.recommendations.models import Conclusions
from medai.analysis.recommendations.service import RecommendationService
from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository
from medai.infra.documents import Range
from medai.kit.days import DayRange
from medai.processing.ports import Job, Jobs, Task

_WITH_ADVICE = {"skip_reason": None, "analysis.call_type_id": Range(at_least=1, at_most=4)}
"""Type 5, "другое", has no recommendations (contract 3)."""


@dataclass(frozen=True, slots=True)
class ConclusionsState:
    """What is stored for a period, and how many calls there are to conclude from."""

    stored: Conclusions | None
    calls: int


class PeriodConclusions:
    """Raises NotFoundError for an unknown clinic, StoreError, and while it concludes the provider
    errors of `analysis.ports.LanguageModel`: then what was stored before stays."""

    def __init__(
        self,
        clinics: ClinicRepository,
        calls: CallRepository,
        recommendations: RecommendationService,
        jobs: Jobs,
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._recommendations = recommendations
        self._jobs = jobs

    async def weekly(
        self, client_id: str, days: DayRange, *, force_refresh: bool = False
    ) -> Conclusions:
        """Conclusions of exactly these days: at most one request, none when they are stored."""
        await self._clinics.require(client_id)
        made = await self._recommendations.weekly(
            client_id, days.first, days.last, force_refresh=force_refresh
        )
        return await self._exported(made)

    async def monthly(
        self, client_id: str, year: int, month: int, *, force_refresh: bool = False
    ) -> Conclusions:
        """Conclusions of a month from those of its weeks."""
        await self._clinics.require(client_id)
        made = await self._recommendations.monthly(
            client_id, year, month, force_refresh=force_refresh
        )
        return await self._exported(made)

    async def state(self, client_id: str, days: DayRange) -> ConclusionsState:
        """What is known about the days; asks nobody."""
        await self._clinics.require(client_id)
        stored = await self._recommendations.stored(client_id, "weekly", days.first, days.last)
        counts = await self._calls.count_by("client_id", client_id, days, _WITH_ADVICE)
        return ConclusionsState(stored, sum(counts.values()))

    async def _exported(self, made: Conclusions) -> Conclusions:
        """Queue the clinic's export, which takes new conclusions along (contract 1.3)."""
        if not made.is_empty:
            # The key and lock of the scheduled export: two of one clinic would refuse each other.
            key = f"export:{made.client_id}"
            await self._jobs.defer(Job(Task.EXPORT, {"client_id": made.client_id}, key, key))
        return made
