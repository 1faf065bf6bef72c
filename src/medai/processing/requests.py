"""Asking for work on the calls of business days, and seeing how far it is."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from medai.calls.life import due_steps, is_settled, lacks_analysis, open_steps
from medai.calls.models import Call, Stage, Step
from medai.calls.repository import CallRepository
from medai.calls.standing import Facts
from medai.errors import QuotaExceededError
from medai.infra.documents import MAX_IDS_PER_QUERY
from medai.kit.chunks import chunks
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.processing.ports import Job, Jobs, Task

_AUDIO_STEPS = (Step.RECORDING, Step.TRANSCRIPTION)

STEP_TASKS = {
    Step.RECORDING: Task.FETCH,
    Step.TRANSCRIPTION: Task.TRANSCRIBE,
    Step.NOTE: Task.NOTE,
    Step.ANALYSIS: Task.ANALYSE,
}

_WISHES = ("transcription_requested_at", "analysis_requested_at")

_OUT_OF_MINUTES = {
    "skip_reason": None,
    "transcript": None,
    f"failures.{Step.TRANSCRIPTION}.code": QuotaExceededError.code,
}

_COUNTED_AT_ONCE = 200
"""Counting more without a pause (2 ms) would keep others who ask waiting."""

REPETITION_PRIORITY = -1_000_000
"""Behind every first attempt, whose priorities are minus the ordinal within a request."""


def step_job(call: Call, step: Step, *, at: datetime | None = None, priority: int = 0) -> Job:
    """The job that carries out one step of a call."""
    return Job(
        task=STEP_TASKS[step],
        # The next steps keep the place of the first: whoever asks later is not kept waiting.
        args={"call_id": call.id, "priority": priority},
        # A repetition that waits for its time must not keep a job for now out of the queue.
        key=f"{step}:{call.id}" + (f"@{at.isoformat()}" if at else ""),
        lock=f"{step}:{call.id}",
        # Of two jobs with one lock the engine runs the one of higher priority first and lets the
        # other wait, even while the first one's time has not come.
        priority=REPETITION_PRIORITY if at else priority,
        at=at,
    )


@dataclass(slots=True)
class Progress:
    """Where the calls of a period stand. `waiting` maps a failure's message to its calls."""

    total: int = 0
    recorded: int = 0
    """Calls whose recording is known: the others wait for the PBX and take part in nothing."""
    settled: int = 0
    transcribed: int = 0
    noted: int = 0
    analysed: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    working: int = 0
    earliest: datetime | None = None

    def add(self, call: Facts, now: datetime, count: int = 1) -> None:
        """Count so many calls that stand like this one; skipped ones take part in nothing."""
        if call.skip_reason is not None:
            return
        self.total += count
        self.recorded += count * (call.stage is not Stage.DISCOVERED)
        self.transcribed += count * (call.transcript is not None)
        self.noted += count * (call.crm_note is not None)
        self.analysed += count * (not lacks_analysis(call))
        self.settled += count * is_settled(call)
        self.working += count * bool(due_steps(call, now))
        opened = open_steps(call)
        for step, failure in call.failures.items():
            if step in opened and failure.next_try_at and failure.next_try_at > now:
                self.waiting[failure.message] += count
                self.earliest = min(self.earliest or failure.next_try_at, failure.next_try_at)
            elif failure.next_try_at is None:
                self.failed[failure.message] += count

    def join(self, other: "Progress") -> None:
        """Add the progress of another clinic."""
        self.total += other.total
        self.recorded += other.recorded
        self.settled += other.settled
        self.transcribed += other.transcribed
        self.noted += other.noted
        self.analysed += other.analysed
        self.working += other.working
        self.waiting.update(other.waiting)
        self.failed.update(other.failed)
        moments = [moment for moment in (self.earliest, other.earliest) if moment]
        self.earliest = min(moments, default=None)


class WorkRequests:
    """Marks calls as wanted and queues their first due steps."""

    def __init__(self, calls: CallRepository, jobs: Jobs, clock: Clock) -> None:
        self._calls = calls
        self._jobs = jobs
        self._clock = clock

    async def transcription(
        self,
        client_id: str | None,
        days: DayRange,
        *,
        force: bool = False,
        run_id: str | None = None,
    ) -> tuple[int, int]:
        """Ask for transcripts of the days; returns (calls found, calls that will be worked on).

        Calls that failed get another chance. `force` is kept for old clients: a finished
        transcript is never paid for again, whatever is asked.
        """
        order = self._order(_AUDIO_STEPS, run_id, "transcription_requested_at")
        found = 0
        async for call in self._kept(client_id, days):
            if not call.recording_url and call.audio is None:
                continue
            found += force or call.transcript is None
            if call.transcript is None or _is_note_cancelled(call):
                order.calls.append(call)
        return found, await self._place(order)

    async def transcription_of(self, call: Call, *, run_id: str | None = None) -> int:
        """Ask for one call's transcript; returns 1, or 0 when it is there already."""
        order = self._order(_AUDIO_STEPS, run_id, "transcription_requested_at")
        if call.transcript is None:
            order.calls.append(call)
        return await self._place(order)

    async def analysis(
        self,
        client_id: str | None,
        days: DayRange,
        *,
        force: bool = False,
        run_id: str | None = None,
    ) -> tuple[int, int]:
        """Ask for analyses of transcribed calls; returns (calls found, calls queued).

        `force` analyses again what is analysed already; what is there stays until then.
        """
        order = self._order((Step.ANALYSIS,), run_id, "analysis_requested_at")
        if force:
            order.marks["analysis_again_at"] = self._clock()
        async for call in self._kept(client_id, days):
            if call.transcript is not None and (force or lacks_analysis(call)):
                order.calls.append(call)
        return len(order.calls), await self._place(order)

    async def everything(self, client_id: str, days: DayRange, *, run_id: str | None = None) -> int:
        """Ask for the whole way of every call of the days; returns how many are wanted."""
        order = self._order(tuple(Step), run_id, *_WISHES)
        async for call in self._kept(client_id, days):
            if not is_settled(call) or call.analysis is None or _is_note_cancelled(call):
                order.calls.append(call)
        return await self._place(order)

    async def newcomers(
        self, client_id: str, days: DayRange, *, run_id: str, busy: Container[str] = ()
    ) -> int:
        """Ask for the whole way of calls that nobody has asked for; returns how many.

        Calls of the `busy` runs stay with them.

        What failed for good or was cancelled stays as it is: the schedule asks every day, and
        another chance costs money. Only a person gives one.
        """
        order = self._order((), run_id, *_WISHES)
        async for call in self._kept(client_id, days):
            asked = call.transcription_requested_at and call.analysis_requested_at
            free = call.cancelled_at is None and call.run_id not in busy
            if not asked and free and call.analysis is None:
                order.calls.append(call)
        return await self._place(order)

    async def progress(
        self, client_id: str | None, days: DayRange, *, run_id: str | None = None
    ) -> Progress:
        """Where the calls of the days, or those of one run among them, stand now."""
        progress, now = Progress(), self._clock()
        where = {} if run_id is None else {"run_id": run_id}
        standings = await self._calls.standings(client_id, days, where)
        for piece in chunks(standings, _COUNTED_AT_ONCE):
            for standing, count in piece:
                progress.add(standing, now, count)
            await asyncio.sleep(0)
        return progress

    async def retry(self, call: Call) -> None:
        """Give a call another chance whatever failed, and queue what is due."""
        failed = tuple(call.failures)
        if failed:
            await self._calls.change(call.id, {}, unset=_paths(failed))
        await self.resume(_without(call, failed))

    async def resume(self, call: Call) -> None:
        """Queue every step of the call that is due."""
        await self._jobs.defer_many(self._due_jobs(call, priority=0))

    async def wake_quota(self, client_id: str) -> int:
        """Let the clinic's calls that wait for minutes try again now; returns how many.

        Those that still do not fit are refused again and go on waiting, at no cost.
        """
        now, woken = self._clock(), 0
        waiting = self._calls.of_days(client_id, None, where=_OUT_OF_MINUTES)
        found = [call.id async for call in waiting]
        for ids in chunks(found, MAX_IDS_PER_QUERY):
            again = {f"failures.{Step.TRANSCRIPTION}.next_try_at": now}
            await self._calls.change_many(ids, again, where=_OUT_OF_MINUTES)
            calls = [call for call_id in ids if (call := await self._calls.get(call_id))]
            jobs = [
                job
                for place, call in enumerate(calls, start=woken)
                for job in self._due_jobs(call, priority=-place)
            ]
            await self._jobs.defer_many(jobs)
            woken += len(ids)
        return woken

    async def withdraw(self, client_id: str | None, days: DayRange, *, run_id: str) -> int:
        """Take back the wish for the run's calls that are not done; returns how many.

        A step under way ends and is stored; nothing further starts.
        """
        withdrawn = 0
        now = self._clock()
        async for call in self._kept(client_id, days, run_id):
            if not is_settled(call) or not _has_all(call):
                wishes = dict.fromkeys(_unmet_wishes(call))
                fields = {**wishes, "analysis_again_at": None, "cancelled_at": now}
                where = {"run_id": run_id}
                withdrawn += await self._calls.change(call.id, fields, where=where)
        return withdrawn

    def _order(self, steps: tuple[Step, ...], run_id: str | None, *wishes: str) -> "_Order":
        marks: dict[str, Any] = dict.fromkeys(wishes, self._clock())
        return _Order({**marks, "run_id": run_id, "cancelled_at": None}, steps)

    def _kept(
        self, client_id: str | None, days: DayRange, run_id: str | None = None
    ) -> AsyncIterator[Call]:
        of_run = {} if run_id is None else {"run_id": run_id}
        return self._calls.of_days(client_id, days, where={"skip_reason": None, **of_run})

    async def _place(self, order: "_Order") -> int:
        """Mark the calls as wanted and queue their due steps, in few round trips."""
        plain = [call.id for call in order.calls if not order.again(call)]
        await self._calls.change_many(plain, order.marks)
        for call in order.calls:
            if again := order.again(call):
                await self._calls.change(call.id, order.marks, unset=_paths(again))
        # Minus the ordinal within this request: clinics that ask at the same time take turns.
        jobs = [
            job
            for ordinal, call in enumerate(order.calls)
            for job in self._due_jobs(order.wanted(call), priority=-ordinal)
        ]
        await self._jobs.defer_many(jobs)
        return len(order.calls)

    def _due_jobs(self, call: Call, *, priority: int) -> list[Job]:
        return [step_job(call, step, priority=priority) for step in due_steps(call, self._clock())]


@dataclass(slots=True)
class _Order:
    """Calls that are asked for together: what to mark, which failed steps get another chance."""

    marks: dict[str, Any]
    steps: tuple[Step, ...]
    calls: list[Call] = field(default_factory=list)

    def again(self, call: Call) -> tuple[Step, ...]:
        """Failed steps that are tried anew."""
        return _another_chance(call, self.steps)

    def wanted(self, call: Call) -> Call:
        """The call as it is stored once the order is placed."""
        return _without(call, self.again(call)).model_copy(update=self.marks)


def _another_chance(call: Call, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The failed ones of the steps; quota waits stay, they end by themselves."""
    failures = call.failures
    return tuple(s for s in steps if s in failures and failures[s].code != QuotaExceededError.code)


def _paths(steps: tuple[Step, ...]) -> list[str]:
    return [f"failures.{step}" for step in steps]


def _without(call: Call, steps: tuple[Step, ...]) -> Call:
    kept = {step: failure for step, failure in call.failures.items() if step not in steps}
    return call.model_copy(update={"failures": kept})


def _has_all(call: Call) -> bool:
    """Whether everything that was asked for is there."""
    return not _unmet_wishes(call)


def _unmet_wishes(call: Call) -> list[str]:
    lacks = dict(zip(_WISHES, (call.transcript is None, lacks_analysis(call)), strict=True))
    return [name for name in _WISHES if getattr(call, name) and lacks[name]]


def _is_note_cancelled(call: Call) -> bool:
    """Whether a cancelled run has left the call without its note in the CRM."""
    return call.cancelled_at is not None and call.crm_note is None and call.origin == "amocrm"
