"""Beginning what is due: a run or a job per activity, begun once however many ask."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.errors import InvalidInputError
from medai.kit.clock import Clock
from medai.kit.days import DayRange, business_day, zone
from medai.kit.ids import stable_id
from medai.processing.ports import Job, Jobs, Task
from medai.processing.run_book import RunBook
from medai.processing.runs import Phase, Run, RunKind, Runs
from medai.processing.schedule.memory import INSTALLATION, ScheduleMemory
from medai.processing.schedule.rules import (
    Activity,
    Begun,
    Due,
    Plan,
    due_activities,
    months_to_conclude,
    night_days,
    poll_days,
    rescan_days,
    weeks_to_conclude,
)

_log = structlog.get_logger(__name__)

_INSTALLATION_ZONE = ZoneInfo("Europe/Moscow")
_RUNS = {
    Activity.POLL: RunKind.POLL,
    Activity.NIGHT: RunKind.NIGHT,
    Activity.RESCAN: RunKind.RESCAN,
    Activity.LINKS: RunKind.LINKS,
}


class Schedule:
    """Begins what is due in every clinic. Raises StoreError; what was begun stays."""

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        memory: ScheduleMemory,
        runs: Runs,
        book: RunBook,
        jobs: Jobs,
        clock: Clock,
        night_hour: int,
        poll_minutes: int,
    ) -> None:
        self._clinics = clinics
        self._memory = memory
        self._runs = runs
        self._book = book
        self._jobs = jobs
        self._clock = clock
        self._night_hour = night_hour
        self._poll = timedelta(minutes=poll_minutes) if poll_minutes else None

    async def is_my_turn(self, pause: timedelta) -> bool:
        """Whether this process ticks now: a hundred workers need not count the same calls."""
        now = self._clock()
        seen = (await self._memory.of(INSTALLATION)).get(Activity.TICK)
        if seen is not None and -pause < now - seen.at < pause:
            return False
        return await self._memory.claim(INSTALLATION, Due(Activity.TICK), seen)

    async def tick(self) -> int:
        """Begin what is due and move runs on; returns how many activities were begun."""
        begun = 0
        clinics = [clinic async for clinic in self._clinics.all()]
        for clinic in clinics:
            if not clinic.subdomain:  # own recordings have no CRM
                continue
            try:
                begun += await self._begin_clinic(clinic)
            except InvalidInputError as error:
                # A zone of a restored dump that does not exist; the others go on.
                _log.error("clinic without schedule", client_id=clinic.client_id, code=error.code)
        if clinics:
            begun += await self._begin_installation(clinics[0])
        await self._book.advance()
        return begun

    async def _begin_clinic(self, clinic: Clinic) -> int:
        plan = Plan(zone(clinic.timezone), self._night_hour, self._poll)
        seen = await self._memory.of(clinic.client_id)
        due = due_activities(plan, self._clock(), seen, since=clinic.created_at)
        busy = await self._reading(clinic.client_id)
        begun = 0
        for one in due:
            overlaps = _RUNS.get(one.activity) in busy
            if one.activity is not Activity.RETENTION and not overlaps:
                begun += await self._begin(clinic, one, seen.get(one.activity))
        return begun

    async def _reading(self, client_id: str) -> set[str]:
        """Kinds of runs that still read the CRM or wait for it: a second one would do the same."""
        running = self._runs.running(client_id)
        return {run.kind async for run in running if run.phase in (Phase.SYNC, Phase.LINKS)}

    async def _begin_installation(self, any_clinic: Clinic) -> int:
        seen = await self._memory.of(INSTALLATION)
        plan = Plan(_INSTALLATION_ZONE, self._night_hour)
        due = due_activities(plan, self._clock(), seen, since=any_clinic.created_at)
        begun = 0
        for one in due:
            if one.activity is Activity.RETENTION:
                last = seen.get(Activity.RETENTION)
                if await self._memory.claim(INSTALLATION, one, last):
                    await self._jobs.defer(
                        Job(Task.RETENTION, {}, key="retention", lock="retention")
                    )
                    begun += 1
        return begun

    async def _begin(self, clinic: Clinic, due: Due, seen: Begun | None) -> bool:
        # The run comes first and carries the slot in its id: a crash between the two writes
        # neither loses the slot nor begins it twice.
        if due.activity in _RUNS:
            run = self._run(clinic, due, seen)
            fresh = await self._runs.insert(run)
            await self._memory.claim(clinic.client_id, due, seen)
        else:
            fresh = await self._memory.claim(clinic.client_id, due, seen)
            if fresh:
                await self._jobs.defer(_job(clinic.client_id, due.activity))
        if fresh:
            _log.info("begun by schedule", client_id=clinic.client_id, activity=due.activity.value)
        return fresh

    def _run(self, clinic: Clinic, due: Due, seen: Begun | None) -> Run:
        now = self._clock()
        days = self._days(clinic, due, seen)
        night = due.activity is Activity.NIGHT
        weeks = weeks_to_conclude(due) if night else []
        months = months_to_conclude(due) if night else []
        last = seen.at.isoformat() if seen else ""
        return Run(
            id=stable_id("run", clinic.client_id, due.activity, last, str(due.day)),
            client_id=clinic.client_id,
            kind=_RUNS[due.activity],
            first=days.first.isoformat(),
            last=days.last.isoformat(),
            origin="schedule",
            phase=Phase.LINKS if due.activity is Activity.LINKS else Phase.SYNC,
            weeks=tuple(week.first.isoformat() for week in weeks),
            months=tuple(month.isoformat() for month in months),
            started_at=now,
        )

    def _days(self, clinic: Clinic, due: Due, seen: Begun | None) -> DayRange:
        tz = zone(clinic.timezone)
        today = business_day(self._clock(), tz)
        match due.activity:
            case Activity.NIGHT:
                return night_days(due, self._night_hour)
            case Activity.RESCAN:
                return rescan_days(today)
            case Activity.POLL:
                return poll_days(today, business_day(seen.at, tz) if seen else None)
            case _:
                return DayRange(today, today)


def _job(client_id: str, activity: Activity) -> Job:
    task = Task.EXPORT if activity is Activity.EXPORT else Task.TOKEN
    key = f"{activity}:{client_id}"
    return Job(task, {"client_id": client_id}, key=key, lock=key)
