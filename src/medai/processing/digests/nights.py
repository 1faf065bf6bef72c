"""The report of a night run, once per night, to the chat of TELEGRAM_ADMIN_CHAT_ID."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.clinics.repository import ClinicRepository
from medai.digests.nightly import LATEST, ClinicNight, NightReport, NightState, is_over, step_counts
from medai.digests.troubles import quota_troubles
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.processing.digests.deliveries import Deliveries, Due, Kind
from medai.processing.runs import Run, RunKind, Runs
from medai.processing.slices import days_of

_STATES = {
    "running": NightState.RUNNING,
    "completed": NightState.DONE,
    "partial": NightState.PARTIAL,
    "failed": NightState.FAILED,
    "cancelled": NightState.FAILED,
}


class Nights:
    """Reads night runs. Raises StoreError."""

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        calls: CallRepository,
        runs: Runs,
        deliveries: Deliveries,
        clock: Clock,
        keeper_chat: int | None,
    ) -> None:
        self._clinics = clinics
        self._calls = calls
        self._runs = runs
        self._deliveries = deliveries
        self._clock = clock
        self._keeper_chat = keeper_chat
        self._told = ""

    async def due(self) -> AsyncGenerator[Due, None]:
        """The report of the newest night, when it is over and was not told."""
        if self._keeper_chat is None:
            return
        runs = await self._newest()
        if not runs:
            return
        night = next(iter(runs.values())).last
        clinics = [clinic async for clinic in self._clinics.all() if clinic.subdomain]
        started = min(run.started_at for run in runs.values())
        own = [runs.get(clinic.client_id) for clinic in clinics]
        ended = all(run is not None and run.state != "running" for run in own)
        if night == self._told or not is_over(ended, started, self._clock()):
            return
        subject = f"daily_run:{night}"
        if self._keeper_chat not in await self._deliveries.told(subject):
            report = await self._report(clinics, runs, started)
            yield Due(Kind.DAILY_RUN, self._keeper_chat, subject, report)
        else:
            self._told = night

    async def _newest(self) -> dict[str, Run]:
        """The scheduled night runs of the newest night, by clinic."""
        since = self._clock() - LATEST - timedelta(hours=12)
        begun = [run async for run in self._runs.begun(RunKind.NIGHT, since)]
        runs = [run for run in begun if run.origin == "schedule" and run.client_id]
        night = max((run.last for run in runs), default="")
        return {str(run.client_id): run for run in reversed(runs) if run.last == night}

    async def _report(
        self, clinics: list[Clinic], runs: dict[str, Run], started: datetime
    ) -> NightReport:
        finished = [run.finished_at for run in runs.values() if run.finished_at]
        days = [days_of(run) for run in runs.values()]
        return NightReport(
            days=DayRange(min(d.first for d in days), max(d.last for d in days)),
            started_at=started,
            finished_at=max(finished) if len(finished) == len(runs) else None,
            weekly=any(run.weeks for run in runs.values()),
            clinics=tuple(
                [await self._clinic(clinic, runs.get(clinic.client_id)) for clinic in clinics]
            ),
        )

    async def _clinic(self, clinic: Clinic, run: Run | None) -> ClinicNight:
        percent = max((one.percent for one in quota_troubles(clinic, self._clock())), default=0)
        if run is None:
            return ClinicNight(name=clinic.name, state=NightState.MISSING, limit_percent=percent)
        counts = step_counts(await self._calls.standings(clinic.client_id, days_of(run)))
        ended = run.state != "running"
        return ClinicNight(
            name=clinic.name,
            state=_STATES[run.state],
            synced=run.statistics.get("saved_to_db", 0),
            transcribed=counts.transcribed,
            not_transcribed=counts.not_transcribed,
            analysed=counts.analysed,
            not_analysed=counts.not_analysed,
            concluded=run.state in ("completed", "partial") if run.weeks or run.months else None,
            exported=any(key.startswith("rows_") for key in run.statistics) if ended else None,
            limit_percent=percent,
            error=run.error,
        )
