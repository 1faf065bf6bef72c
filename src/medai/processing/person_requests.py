"""What people ask for through the API or the command line: each request becomes a run."""

from dataclasses import dataclass

from medai.calls.models import Call
from medai.errors import InvalidInputError, NotFoundError
from medai.kit.days import parse_range
from medai.processing.crm_checks import MOST_CHECKED_DAYS
from medai.processing.exports import Exports
from medai.processing.ports import Job, Jobs, Task
from medai.processing.requests import WorkRequests
from medai.processing.run_book import run_job
from medai.processing.runs import Phase, Run, RunKind, Runs
from medai.processing.stops import Stops


@dataclass(frozen=True, slots=True)
class Asked:
    """The run, how many calls were found and how many will be worked on."""

    run_id: str
    found: int
    queued: int


class PersonRequests:
    """Starts runs. A person's request also lets what stands still try at once: a mended key works
    without waiting. Raises InvalidInputError for bad dates, StoreError."""

    def __init__(
        self, runs: Runs, requests: WorkRequests, stops: Stops, jobs: Jobs, exports: Exports
    ) -> None:
        self._runs = runs
        self._exports = exports
        self._requests = requests
        self._stops = stops
        self._jobs = jobs

    async def sync(self, client_id: str, first: str, last: str) -> str:
        """Queue a sync of the days; returns the run's id."""
        return (await self._reading(client_id, RunKind.SYNC, first, last)).id

    async def process(self, client_id: str, first: str, last: str) -> str:
        """Queue the whole way of the days: calls from the CRM, transcripts, analyses,
        conclusions, metrics; returns the run's id."""
        return (await self._reading(client_id, RunKind.PROCESS, first, last)).id

    async def bulk(self, client_id: str, first: str, last: str, *, skip_known: bool = False) -> Run:
        """Queue a sync of the days one by one. Whoever asks for the same again joins the run that
        is under way, and lets it try at once if it waits for its next attempt."""
        same = await self._runs.latest(client_id, RunKind.BULK, first, last)
        if same and same.state == "running" and same.skip_known == skip_known:
            await self._stops.try_soon(client_id)
            await self._runs.change(same.id, next_try_at=None)
            await self._jobs.defer(run_job(same))
            return same
        return await self._reading(client_id, RunKind.BULK, first, last, skip_known=skip_known)

    async def _reading(
        self, client_id: str, kind: RunKind, first: str, last: str, *, skip_known: bool = False
    ) -> Run:
        """A run that begins with the CRM."""
        parse_range(first, last)
        await self._stops.try_soon(client_id)
        run = await self._runs.start(client_id, kind, first, last, skip_known=skip_known)
        await self._jobs.defer(run_job(run))
        return run

    async def check(self, client_id: str, first: str, last: str) -> str:
        """Queue a comparison of the CRM with what is stored; returns the run's id."""
        days = parse_range(first, last)
        if (days.last - days.first).days >= MOST_CHECKED_DAYS:
            raise InvalidInputError(
                f"Сверка длиннее {MOST_CHECKED_DAYS} дней: разбейте период на части"
            )
        await self._stops.try_soon(client_id)
        run = await self._runs.start(client_id, RunKind.CHECK, first, last, phase=Phase.CHECK)
        await self._jobs.defer(run_job(run))
        return run.id

    async def transcription(
        self, client_id: str | None, first: str, last: str, *, force: bool = False
    ) -> Asked:
        """Ask for transcripts of the days."""
        run_id = await self._started(client_id, RunKind.TRANSCRIPTION, first, last)
        days = parse_range(first, last)
        counted = await self._requests.transcription(client_id, days, force=force, run_id=run_id)
        return await self._asked(run_id, *counted)

    async def transcription_of(self, call: Call) -> Asked:
        """Ask for the transcript of one call.

        Raises NotFoundError when nothing is known of a recording, InvalidInputError for a call
        that is left out.
        """
        if not call.recording_url and call.audio is None:
            raise NotFoundError("У звонка нет ссылки на запись: она появится позже")
        if call.skip_reason is not None:
            raise InvalidInputError("Звонок не обрабатывается: он слишком короткий или повторный")
        day = call.business_day.isoformat()
        run_id = await self._started(call.client_id, RunKind.TRANSCRIPTION, day, day)
        queued = await self._requests.transcription_of(call, run_id=run_id)
        return await self._asked(run_id, 1, queued)

    async def analysis(
        self, client_id: str | None, first: str, last: str, *, force: bool = False
    ) -> Asked:
        """Ask for analyses of transcribed calls."""
        run_id = await self._started(client_id, RunKind.ANALYSIS, first, last)
        days = parse_range(first, last)
        counted = await self._requests.analysis(client_id, days, force=force, run_id=run_id)
        return await self._asked(run_id, *counted)

    async def everything(self, client_id: str, first: str, last: str) -> Asked:
        """Ask for the whole way of every call of the days."""
        run_id = await self._started(client_id, RunKind.EVERYTHING, first, last)
        wanted = await self._requests.everything(client_id, parse_range(first, last), run_id=run_id)
        return await self._asked(run_id, wanted, wanted)

    async def whole_export(self) -> int:
        """Queue writing the metrics of every known day again; returns how many were up to date."""
        days = await self._exports.make_all_due()
        job = Job(task=Task.EXPORT, args={"client_id": ""}, key="export:all", lock="export:all")
        await self._jobs.defer(job)
        return days

    async def attribution(self, client_id: str, first: str, last: str) -> str:
        """Queue deciding again who took the calls of the days; returns the run's id."""
        phase = Phase.ATTRIBUTION
        run = await self._runs.start(client_id, RunKind.ATTRIBUTION, first, last, phase=phase)
        await self._jobs.defer(run_job(run))
        return run.id

    async def _started(self, client_id: str | None, kind: RunKind, first: str, last: str) -> str:
        parse_range(first, last)
        await self._stops.try_soon(client_id)
        # Until its calls are marked, whoever looks would find none and end it.
        run = await self._runs.start(client_id, kind, first, last, phase=Phase.DIRECT)
        return run.id

    async def _asked(self, run_id: str, found: int, queued: int) -> Asked:
        await self._runs.enter(run_id, Phase.CALLS, wanted=queued)
        return Asked(run_id, found, queued)
