"""A clinic's day and week as the digests need them; one clinic at a time is held in memory."""

from collections.abc import Mapping
from datetime import date

from medai.analysis.models import CallAnalysis
from medai.calls.models import Call
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.zones import shown_zone
from medai.digests.day import analysed_on, fg_of, morning, own_calls, own_morning
from medai.digests.hearing import asked_for, candidates
from medai.digests.models import Booked, Morning, OwnMorning, Weekly, WeekOfTrend
from medai.digests.moments import week_before
from medai.infra.documents import OneOf
from medai.kit.clock import Clock
from medai.kit.days import DayRange, business_day
from medai.limits.state import state_of
from medai.metrics.selection import ANALYSED
from medai.reports.errors import ReportRenderingError
from medai.reports.models import Chart, ReportContent
from medai.reports.ports import Analyses
from medai.reports.service import ReportService, previous_period

WEEKS_OF_TREND = 4
_SCORED = {"stage": OneOf(tuple(stage.value for stage in ANALYSED))}


class ClinicReader:
    """Reads calls, counts and reports. Raises StoreError."""

    def __init__(
        self, calls: CallRepository, analyses: Analyses, reports: ReportService, clock: Clock
    ) -> None:
        self._calls = calls
        self._analyses = analyses
        self._reports = reports
        self._clock = clock

    async def day(self, clinic: Clinic, day: date) -> list[Call]:
        """All calls of the day and since, skipped ones included."""
        today = business_day(self._clock(), shown_zone(clinic))
        days = DayRange(day, max(day, today))
        return [call async for call in self._calls.of_days(clinic.client_id, days)]

    async def morning(self, clinic: Clinic, day: date, calls: list[Call]) -> Morning:
        """The digest of those who see everyone."""
        return morning(
            clinic,
            day,
            calls,
            week=await self._booked(clinic.client_id, week_before(day)),
            analyses=await self._proofs(analysed_on(calls, day)),
            limits=state_of(clinic, self._clock()),
        )

    async def own_morning(
        self, clinic: Clinic, day: date, administrator: str, calls: list[Call]
    ) -> OwnMorning:
        """The digest of one administrator."""
        week = await self._calls.count_by(
            "analysis.overall",
            clinic.client_id,
            week_before(day),
            {**_SCORED, "administrator": administrator},
        )
        own = own_calls(analysed_on(calls, day), administrator)
        return own_morning(
            clinic,
            day,
            administrator,
            calls,
            week_fg=fg_of(week),
            analyses=await self._proofs(own),
        )

    async def weekly(self, clinic: Clinic, week: DayRange) -> Weekly:
        """The digest of a week; without a picture when it cannot be drawn."""
        content = await self._reports.content(clinic.client_id, week, even_empty=True)
        return Weekly(
            client_id=clinic.client_id,
            clinic_name=clinic.name,
            days=week,
            current=content.current,
            previous=content.previous,
            trend=await self._trend(clinic.client_id, week),
            losses=content.losses.reasons,
            administrators=content.administrators,
            chart=await self._chart(content) if content.current.calls else b"",
        )

    async def _chart(self, content: ReportContent) -> bytes:
        try:
            return await self._reports.drawn(content, Chart.DAYS)
        except ReportRenderingError:
            return b""  # the renderer has logged why; the figures go out without a picture

    async def _trend(self, client_id: str, week: DayRange) -> tuple[WeekOfTrend, ...]:
        weeks = [week]
        for _ in range(WEEKS_OF_TREND - 1):
            weeks.append(previous_period(weeks[-1]))
        return tuple(
            [WeekOfTrend(days, await self._booked(client_id, days)) for days in reversed(weeks)]
        )

    async def _booked(self, client_id: str, days: DayRange) -> Booked:
        counts = await self._calls.count_by("converted", client_id, days, _SCORED)
        return Booked(calls=sum(counts.values()), converted=counts.get(True, 0))

    async def _proofs(self, calls: list[Call]) -> Mapping[str, CallAnalysis]:
        return await self._analyses.of_calls(asked_for(candidates(calls)))
