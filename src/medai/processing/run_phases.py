"""What the jobs of a run do: one phase each, repeated by a plan, then the next phase.

A failure that may pass by itself does not end a run: it stays `running` with its last error until
the plan ends. A job may run twice or too late: it looks at the stored run first.
"""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import structlog

from medai.analysis.recommendations.service import RecommendationService
from medai.clinics.repository import ClinicRepository
from medai.errors import (
    AnswerLostError,
    ConflictError,
    MedaiError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.kit.clock import Clock
from medai.processing.crm_checks import CrmChecks
from medai.processing.day_outcomes import state_of_days
from medai.processing.exports import Exports
from medai.processing.link_repair import LinkRepair
from medai.processing.ports import CrmAccounts
from medai.processing.reattribution import Reattribution
from medai.processing.requests import WorkRequests
from medai.processing.retries import failure_message
from medai.processing.run_book import RunBook
from medai.processing.runs import Phase, Run, RunKind, Runs, RunState
from medai.processing.schedule.rules import weeks_beginning_in
from medai.processing.sliced_sync import SlicedSync
from medai.processing.slices import days_of, unread
from medai.processing.stops import CRM, Stop, Stops, scope
from medai.processing.sweeps import Sweeps

_log = structlog.get_logger(__name__)

REPEATS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""One page of HTML instead of JSON must not end a sync."""

CONCLUDE_AGAIN = timedelta(hours=1)
_LONGEST_CONCLUDING = timedelta(days=3)

_CRM_PHASES = (Phase.SYNC, Phase.LINKS, Phase.CHECK)
_PASSING = (
    ProviderUnavailableError,
    ProviderRateLimitedError,
    ProviderAnswerError,
    AnswerLostError,
    ConflictError,
)


class RunPhases:
    """Carries runs through their phases. Methods raise StoreError only, or a mistake of ours."""

    def __init__(
        self,
        *,
        clinics: ClinicRepository,
        runs: Runs,
        book: RunBook,
        syncs: SlicedSync,
        accounts: CrmAccounts,
        links: LinkRepair,
        checks: CrmChecks,
        requests: WorkRequests,
        exports: Exports,
        recommendations: RecommendationService,
        reattribution: Reattribution,
        stops: Stops,
        sweeps: Sweeps,
        clock: Clock,
    ) -> None:
        self._clinics = clinics
        self._runs = runs
        self._book = book
        self._syncs = syncs
        self._accounts = accounts
        self._links = links
        self._checks = checks
        self._requests = requests
        self._exports = exports
        self._recommendations = recommendations
        self._reattribution = reattribution
        self._stops = stops
        self._sweeps = sweeps
        self._clock = clock

    async def sync(self, run_id: str) -> None:
        """Bring the days of the run up to date; a scheduled run then asks for their calls."""
        await self._attempt(run_id, Phase.SYNC, self._synced)

    async def links(self, run_id: str) -> None:
        """Take over recording links that came late."""
        await self._attempt(run_id, Phase.LINKS, self._repaired)

    async def check(self, run_id: str) -> None:
        """Compare what the CRM has for the days with what is stored."""
        await self._attempt(run_id, Phase.CHECK, self._checked)

    async def export(self, run_id: str) -> None:
        """Write the clinic's due days."""
        await self._attempt(run_id, Phase.EXPORT, self._exported)

    async def conclude(self, run_id: str) -> None:
        """Draw the conclusions that are due: weeks first, months live on them."""
        await self._attempt(run_id, Phase.CONCLUSIONS, self._concluded)

    async def attribute(self, run_id: str) -> None:
        """Decide again who took the calls of the run: the schedule was corrected."""
        await self._attempt(run_id, Phase.ATTRIBUTION, self._attributed)

    async def _attempt(
        self, run_id: str, phase: Phase, action: Callable[[Run], Awaitable[None]]
    ) -> None:
        run = await self._runs.get(run_id)
        if run is None or run.state != "running" or run.phase is not phase or self._early(run):
            return
        if phase in _CRM_PHASES and (stop := await self._stop(run)):
            if run.origin == "schedule" and stop.next_trial_at > self._clock():
                await self._wait(run, stop)
                return
            self._accounts.reopen(str(run.client_id))  # a trial has to reach the CRM
        try:
            await action(run)
        except MedaiError as error:
            await self._failed(run, error)
        except Exception as error:
            await self._runs.fail(run.id, failure_message(error))
            raise

    def _early(self, run: Run) -> bool:
        return run.next_try_at is not None and run.next_try_at > self._clock()

    async def _synced(self, run: Run) -> None:
        after = await self._syncs.read(run)
        await self._crm_works(str(run.client_id))
        if after is not None:
            await self._go_on(after)

    async def _go_on(self, run: Run) -> None:
        """To the next slice of days, or to what follows the last one."""
        if unread(run) is not None:
            await self._book.queue(run)
        elif run.kind == RunKind.SYNC:
            await self._runs.complete(run.id, run.statistics)
        elif run.kind == RunKind.BULK:
            await self._runs.finish(run.id, state_of_days(run.outcomes.values()), error=run.trouble)
        else:
            await self._ask(run)

    async def _ask(self, run: Run, **found: object) -> None:
        """Want the calls of the days, if the clinic wants that, and wait for them."""
        client_id, days = str(run.client_id), days_of(run)
        current = await self._runs.get(run.id)
        if current is None or current.state != "running":
            return  # cancelled while the CRM was read
        wanted = await self._wanted(run)
        if not await self._runs.enter(run.id, Phase.CALLS, wanted=wanted, **found):
            await self._requests.withdraw(client_id, days, run_id=run.id)  # cancelled meanwhile

    async def _wanted(self, run: Run) -> int:
        """Ask for the calls of the run's days; returns how many."""
        client_id, days = str(run.client_id), days_of(run)
        if run.kind == RunKind.PROCESS:
            return await self._requests.everything(client_id, days, run_id=run.id)
        clinic = await self._clinics.require(client_id)
        if not clinic.automatic_processing:
            return 0
        busy = {other.id async for other in self._runs.running(client_id)}
        return await self._requests.newcomers(client_id, days, run_id=run.id, busy=busy)

    async def _repaired(self, run: Run) -> None:
        client_id = str(run.client_id)
        repaired = await self._links.repair(client_id)
        await self._crm_works(client_id)
        await self._runs.complete(run.id, {"links_repaired": repaired})

    async def _checked(self, run: Run) -> None:
        counted = await self._checks.check(run.id, str(run.client_id), days_of(run))
        await self._crm_works(str(run.client_id))
        await self._runs.complete(run.id, counted)

    async def _exported(self, run: Run) -> None:
        rows = await self._exports.export(run.client_id)
        counted = {**run.statistics, **{f"rows_{table}": n for table, n in rows.items()}}
        if run.weeks or run.months:
            await self._book.enter(run, Phase.CONCLUSIONS, statistics=counted)
        else:
            await self._finish(run, counted)

    async def _concluded(self, run: Run) -> None:
        if run.kind == RunKind.PROCESS:
            await self._conclude_period(run)
            return
        client_id = str(run.client_id)
        weeks = {date.fromisoformat(text) for text in run.weeks}
        months = [date.fromisoformat(text) for text in run.months]
        for month in months:
            # Only weeks that are over: the last one of a month may reach into the next.
            today = days_of(run).last
            weeks |= {week.first for week in weeks_beginning_in(month) if week.last < today}
        for first in sorted(weeks):
            await self._recommendations.weekly(client_id, first, first + timedelta(days=6))
        for month in months:
            await self._recommendations.monthly(client_id, month.year, month.month)
        await self._exports.export(client_id)
        await self._finish(run, run.statistics)

    async def _attributed(self, run: Run) -> None:
        looked, changed = await self._reattribution.repeat(str(run.client_id), days_of(run))
        await self._runs.complete(run.id, {"calls": looked, "administrators_changed": changed})

    async def _conclude_period(self, run: Run) -> None:
        """Conclusions of exactly the run's days, drawn anew unless this run has drawn them."""
        client_id, days = str(run.client_id), days_of(run)
        known = await self._recommendations.stored(client_id, "weekly", days.first, days.last)
        drawn = known is not None and known.created_at and known.created_at >= run.started_at
        await self._recommendations.weekly(
            client_id, days.first, days.last, force_refresh=not drawn
        )
        await self._book.enter(run, Phase.EXPORT)

    async def _finish(self, run: Run, counted: dict[str, int]) -> None:
        progress = await self._requests.progress(run.client_id, days_of(run))
        whole = progress.settled == progress.total and not progress.failed
        ended: dict[str, object] = {"statistics": counted, "error": run.trouble}
        state: RunState = "completed" if whole and not run.trouble else "partial"
        await self._runs.finish(run.id, state, **ended)

    async def _failed(self, run: Run, error: MedaiError) -> None:
        _log.warning("run failed for now", run_id=run.id, phase=run.phase.value, code=error.code)
        if isinstance(error, ProviderStoppedError):
            stop_id = await self._stops.stand_still(error.provider, str(run.client_id), error)
            if run.origin == "schedule" and run.phase in _CRM_PHASES:
                if stop := await self._standing(stop_id):
                    await self._wait(run, stop)
                return
        if isinstance(error, _PASSING) and run.attempts < len(REPEATS):
            again = self._clock() + _delay(error, run.attempts)
            await self._book.again(run, again, error.message)
            return
        if run.kind == RunKind.NIGHT and run.phase is Phase.SYNC:
            # What polls have brought is worked on, exported and concluded all the same.
            await self._ask(run, trouble=error.message)
        elif run.kind == RunKind.BULK and isinstance(error, _PASSING):
            if after := await self._syncs.give_up_day(run, error.message):
                await self._go_on(after)
        elif run.kind == RunKind.PROCESS and run.phase is Phase.CONCLUSIONS:
            # The calls are done: boards have them all the same.
            await self._book.enter(run, Phase.EXPORT, trouble=error.message)
        elif run.phase is Phase.CONCLUSIONS and self._may_conclude_later(run, error):
            later = self._clock() + CONCLUDE_AGAIN
            await self._book.again(run, later, error.message, counts=False)
        else:
            await self._runs.fail(run.id, error.message)

    def _may_conclude_later(self, run: Run, error: MedaiError) -> bool:
        """No other run draws these conclusions, so a model that is away is waited for."""
        passes = isinstance(error, (*_PASSING, ProviderStoppedError))
        return passes and self._clock() - run.started_at < _LONGEST_CONCLUDING

    async def _crm_works(self, client_id: str) -> None:
        """A passing sync proves it: calls that waited for the CRM go on."""
        if stop := await self._standing(scope(CRM, client_id)):
            await self._sweeps.resume(stop.id)

    async def _stop(self, run: Run) -> Stop | None:
        """The stop of the clinic's CRM, if one stands."""
        return await self._standing(scope(CRM, str(run.client_id)))

    async def _standing(self, stop_id: str) -> Stop | None:
        async for stop in self._stops.standing():
            if stop.id == stop_id:
                return stop
        return None

    async def _wait(self, run: Run, stop: Stop) -> None:
        await self._book.again(run, stop.next_trial_at, stop.message, counts=False)


def _delay(error: MedaiError, attempts: int) -> timedelta:
    advised = error.retry_after if isinstance(error, ProviderRateLimitedError) else None
    return max(REPEATS[attempts], timedelta(seconds=min(advised or 0.0, 3600.0)))
