"""Corrections of the work schedule, and the calls they concern (contract 1.5, 4.7).

A clinic that attributes by schedule has decided about the calls of past days with the schedule of
that time. When it is corrected, a run decides again; days to come have no calls to decide about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from medai.clinics.repository import ClinicRepository
from medai.clinics.zones import shown_zone
from medai.kit.clock import Clock
from medai.kit.days import MAX_RANGE_DAYS, DayRange, business_day
from medai.processing.person_requests import PersonRequests
from medai.processing.reattribution import Reattribution
from medai.staff.models import Shift
from medai.staff.schedule import WorkSchedule


@dataclass(frozen=True, slots=True)
class ShiftsChanged:
    """The shifts after the change; `run_id` of the run that decides about their calls again."""

    shifts: tuple[Shift, ...]
    run_id: str | None


class ShiftChanges:
    """Changes the schedule for people. Raises as `WorkSchedule`, StoreError."""

    def __init__(
        self,
        schedule: WorkSchedule,
        clinics: ClinicRepository,
        reattribution: Reattribution,
        asked: PersonRequests,
        clock: Clock,
    ) -> None:
        self._schedule = schedule
        self._clinics = clinics
        self._reattribution = reattribution
        self._asked = asked
        self._clock = clock

    async def add(
        self, client_id: str, days: Iterable[date], first_name: str, last_name: str
    ) -> ShiftsChanged:
        """Put a person on the list of the days. Raises NotFoundError for an unknown clinic."""
        await self._clinics.require(client_id)
        created = await self._schedule.add(client_id, days, first_name, last_name)
        run_id = await self._decide_again(client_id, [shift.day for shift in created])
        return ShiftsChanged(tuple(created), run_id)

    async def change(self, shift: Shift, wanted: Mapping[str, Any]) -> ShiftsChanged:
        """Correct a shift; the days before and after the change are concerned."""
        changed = await self._schedule.change(shift, wanted)
        if changed == shift:
            return ShiftsChanged((shift,), None)
        run_id = await self._decide_again(shift.client_id, [shift.day, changed.day])
        return ShiftsChanged((changed,), run_id)

    async def remove(self, shift: Shift) -> ShiftsChanged:
        """Take a shift off the list."""
        await self._schedule.remove(shift)
        return ShiftsChanged((), await self._decide_again(shift.client_id, [shift.day]))

    async def _decide_again(self, client_id: str, days: list[date]) -> str | None:
        clinic = await self._clinics.by_client_id(client_id)
        if clinic is None:
            return None
        today = business_day(self._clock(), shown_zone(clinic))
        oldest = today - timedelta(days=MAX_RANGE_DAYS - 1)
        past = [day for day in days if oldest <= day <= today]
        if not past:
            return None
        between = DayRange(min(past), max(past))
        if not await self._reattribution.concerns(clinic, between):
            return None
        texts = (between.first.isoformat(), between.last.isoformat())
        return await self._asked.attribution(client_id, *texts)
