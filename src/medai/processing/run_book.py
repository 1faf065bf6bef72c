"""Runs for those who look: how far, how it ended, and taking the wish back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from medai.errors import ConflictError, InvalidInputError
from medai.kit.clock import Clock
from medai.processing.ports import Job, Jobs, Task
from medai.processing.requests import REPETITION_PRIORITY, Progress, WorkRequests
from medai.processing.runs import Phase, Run, RunKind, Runs
from medai.processing.slices import days_of, turn

LONG = timedelta(minutes=30)
"""A night does not wait with its export for calls that are tried again later than this."""
_DAYS_OF_A_RUN = timedelta(days=45)
"""Calls that wait longer are given up by the sweeps too (`sweeps.OLDEST`)."""

_LONGEST_DIRECT = timedelta(hours=2)

_TASKS = {
    Phase.SYNC: Task.SYNC,
    Phase.LINKS: Task.LINKS,
    Phase.CHECK: Task.CHECK,
    Phase.EXPORT: Task.EXPORT_RUN,
    Phase.CONCLUSIONS: Task.CONCLUDE,
    Phase.ATTRIBUTION: Task.ATTRIBUTE,
}
_AFTER_CALLS: dict[str, Phase] = {
    RunKind.NIGHT: Phase.EXPORT,
    RunKind.PROCESS: Phase.CONCLUSIONS,
}
"""What follows when nothing more can be done for the calls soon. Other runs end."""

_BEFORE_CALLS = (Phase.DIRECT, Phase.SYNC, Phase.LINKS)
"""No call was asked for yet, so none is looked at: those who poll wait for milliseconds."""


def run_job(run: Run, *, at: datetime | None = None) -> Job:
    """The job of the run's present phase."""
    return Job(
        task=_TASKS[run.phase],
        args={"run_id": run.id},
        key=f"{run.phase}:{run.id}" + (f"@{at.isoformat()}" if at else ""),
        lock=f"{run.phase}:{run.client_id}",
        # Jobs with one lock go by priority, even before their time: a repetition keeps nobody out.
        priority=REPETITION_PRIORITY if at else turn(run),
        at=at,
    )


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with what is counted from its calls at this moment."""

    run: Run
    progress: Progress


class RunBook:
    """Looks at runs, moves them on, cancels them. Raises StoreError."""

    def __init__(self, runs: Runs, requests: WorkRequests, jobs: Jobs, clock: Clock) -> None:
        self._runs = runs
        self._requests = requests
        self._jobs = jobs
        self._clock = clock

    async def look(self, run_id: str) -> RunView:
        """The run as it stands. Raises NotFoundError."""
        run = await self._runs.require(run_id)
        progress = await self._progress(run)
        moved = await self._moved(run, progress)
        return RunView(moved, progress if moved.phase is run.phase else await self._progress(moved))

    async def newest(self, client_id: str | None = None, limit: int = 20) -> list[Run]:
        """The newest runs, those that have just been finished by their calls included."""
        return [await self._moved(run) for run in await self._runs.newest(client_id, limit)]

    async def advance(self) -> int:
        """Move every running run on and queue the jobs of those that are due; returns how many."""
        advanced = 0
        async for run in self._running():
            try:
                moved = await self._moved(run)
            except InvalidInputError as error:
                # Days that cannot be read (a restored dump): the others go on.
                await self._runs.fail(run.id, error.message)
                continue
            if moved.state == "running" and moved.phase in _TASKS:
                await self.queue(moved)
            advanced += 1
        return advanced

    async def enter(self, run: Run, phase: Phase, **fields: object) -> None:
        """Begin the run's next phase and queue its job."""
        if await self._runs.enter(run.id, phase, **fields):
            await self._jobs.defer(run_job(run.model_copy(update={"phase": phase})))

    async def queue(self, run: Run) -> None:
        """Queue the job of the run's phase, unless it is queued or its time has not come."""
        now = self._clock()
        if run.next_try_at is None or run.next_try_at <= now:
            await self._jobs.defer(run_job(run))

    async def again(self, run: Run, at: datetime, message: str, *, counts: bool = True) -> None:
        """Repeat the run's phase later; `counts` says whether the repetition plan goes on."""
        attempts = run.attempts + counts
        if await self._runs.change(run.id, attempts=attempts, next_try_at=at, error=message):
            await self._jobs.defer(run_job(run, at=at))

    async def cancel(self, run_id: str) -> RunView:
        """Take the wish back from all calls that are not done.

        Steps under way end and are stored; nothing further starts. Minutes are held only while a
        recognition is under way, so none stay held. Raises NotFoundError, and ConflictError for a
        run that has ended.
        """
        run = await self._runs.require(run_id)
        if not await self._runs.finish(run_id, "cancelled"):
            raise ConflictError("Запуск уже закончен: отменять нечего")
        days = days_of(run)
        withdrawn = await self._requests.withdraw(run.client_id, days, run_id=run_id)
        await self._runs.remember(run_id, {**run.statistics, "withdrawn": withdrawn})
        return RunView(await self._runs.require(run_id), await self._progress(run))

    async def _running(self) -> AsyncIterator[Run]:
        for run in [run async for run in self._runs.running()]:
            yield run

    async def _moved(self, run: Run, progress: Progress | None = None) -> Run:
        """A run that waits for its calls goes on when they are done.

        `progress` is that of its calls, if somebody has just counted it.
        """
        if run.state == "running" and run.phase is Phase.DIRECT:
            return await self._abandoned(run)
        if run.state != "running" or run.phase is not Phase.CALLS:
            return run
        if run.kind in _AFTER_CALLS:
            days = days_of(run)
            if _nothing_soon(await self._requests.progress(run.client_id, days), self._clock()):
                await self.enter(run, _AFTER_CALLS[run.kind])
        else:
            await self._settle(run, progress or await self._progress(run))
        return await self._runs.get(run.id) or run

    async def _abandoned(self, run: Run) -> Run:
        """Its asker did the work itself and must have died: nobody else will end it."""
        if self._clock() - run.started_at > _LONGEST_DIRECT:
            await self._runs.fail(run.id, "Процесс прервался: повторите запрос")
        return await self._runs.get(run.id) or run

    async def _settle(self, run: Run, progress: Progress) -> None:
        expired = self._clock() - run.started_at > _DAYS_OF_A_RUN
        if progress.settled == progress.total or expired:
            taken_over = max(run.wanted - progress.total, 0)  # asked for by somebody later
            whole = not (progress.failed or expired or taken_over)
            counted = {**run.statistics, **_counts(progress)}
            if taken_over:
                counted["taken_over"] = taken_over
            await self._runs.finish(
                run.id,
                "completed" if whole else "partial",
                statistics=counted,
                trouble=_taken_over(taken_over) if taken_over else run.trouble,
            )

    async def _progress(self, run: Run) -> Progress:
        if run.phase in _BEFORE_CALLS:
            return Progress()
        days = days_of(run)
        return await self._requests.progress(run.client_id, days, run_id=run.id)


def _taken_over(calls: int) -> str:
    return f"Звонков перешло к более позднему запросу: {calls}; их итог смотрите в нём"


def _nothing_soon(progress: Progress, now: datetime) -> bool:
    if progress.working:
        return False
    return progress.earliest is None or progress.earliest > now + LONG


def _counts(progress: Progress) -> dict[str, int]:
    return {
        "calls": progress.total,
        "transcribed": progress.transcribed,
        "noted": progress.noted,
        "analysed": progress.analysed,
        "failed": progress.failed.total(),
    }
