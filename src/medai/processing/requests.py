"""Asking for work on the calls of business days, and seeing how far it is."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from medai.calls.life import due_steps, is_settled, open_steps
from medai.calls.models import Call, Step
from medai.calls.repository import CallRepository
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.processing.ports import Job, Jobs, Task

STEP_TASKS = {
    Step.RECORDING: Task.FETCH,
    Step.TRANSCRIPTION: Task.TRANSCRIBE,
    Step.NOTE: Task.NOTE,
    Step.ANALYSIS: Task.ANALYSE,
}


def step_job(call: Call, step: Step, *, at: datetime | None = None, priority: int = 0) -> Job:
    """The job that carries out one step of a call."""
    return Job(
        task=STEP_TASKS[step],
        args={"call_id": call.id},
        # A repetition that waits for its time must not keep a job for now out of the queue.
        key=f"{step}:{call.id}" + (f"@{at.isoformat()}" if at else ""),
        lock=f"{step}:{call.id}",
        priority=priority,
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

    def add(self, call: Call, now: datetime) -> None:
        """Count one call that was not skipped."""
        self.total += 1
        self.recorded += bool(call.recording_url or call.audio)
        self.transcribed += call.transcript is not None
        self.noted += call.crm_note is not None
        self.analysed += call.analysis is not None
        self.settled += is_settled(call)
        self.working += bool(due_steps(call, now))
        opened = open_steps(call)
        for step, failure in call.failures.items():
            if step in opened and failure.next_try_at and failure.next_try_at > now:
                self.waiting[failure.message] += 1
                self.earliest = min(self.earliest or failure.next_try_at, failure.next_try_at)
            elif failure.next_try_at is None:
                self.failed[failure.message] += 1

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
        self, client_id: str | None, days: DayRange, *, force: bool = False
    ) -> tuple[int, int]:
        """Ask for transcripts of the days; returns (calls found, calls that will be worked on).

        Calls that failed get another chance. `force` is kept for old clients: a finished
        transcript is never paid for again, whatever is asked.
        """
        found = queued = 0
        async for call in self._calls.of_days(client_id, days, where={"skip_reason": None}):
            if not call.recording_url and call.audio is None:
                continue
            found += force or call.transcript is None
            if call.transcript is None:
                wanted = {"transcription_requested_at": self._clock()}
                again = _another_chance(call, (Step.RECORDING, Step.TRANSCRIPTION))
                queued += await self._want(call, wanted, again, queued)
        return found, queued

    async def analysis(
        self, client_id: str | None, days: DayRange, *, force: bool = False
    ) -> tuple[int, int]:
        """Ask for analyses of transcribed calls; returns (calls found, calls queued).

        `force` analyses again what is analysed already.
        """
        found = queued = 0
        async for call in self._calls.of_days(client_id, days, where={"skip_reason": None}):
            if call.transcript is None or (call.analysis is not None and not force):
                continue
            found += 1
            wanted: dict[str, Any] = {"analysis_requested_at": self._clock()}
            if call.analysis is not None:
                wanted["analysis"] = None
            again = _another_chance(call, (Step.ANALYSIS,))
            queued += await self._want(call, wanted, again, queued)
        return found, queued

    async def everything(self, client_id: str, days: DayRange) -> int:
        """Ask for the whole way of every call of the days; returns how many are wanted."""
        wanted = 0
        async for call in self._calls.of_days(client_id, days, where={"skip_reason": None}):
            if not is_settled(call) or call.analysis is None:
                now = self._clock()
                marks = {"transcription_requested_at": now, "analysis_requested_at": now}
                again = _another_chance(call, tuple(Step))
                wanted += await self._want(call, marks, again, wanted)
        return wanted

    async def progress(self, client_id: str | None, days: DayRange) -> Progress:
        """Where the calls of the days stand now."""
        progress = Progress()
        now = self._clock()
        async for call in self._calls.of_days(client_id, days, where={"skip_reason": None}):
            progress.add(call, now)
        return progress

    async def retry(self, call: Call) -> None:
        """Give a call another chance whatever failed, and queue what is due."""
        failed = tuple(call.failures)
        if failed:
            await self._calls.change(call.id, {}, unset=_paths(failed))
        await self.resume(_without(call, failed))

    async def resume(self, call: Call, *, priority: int = 0) -> None:
        """Queue every step of the call that is due."""
        for step in due_steps(call, self._clock()):
            await self._jobs.defer(step_job(call, step, priority=priority))

    async def _want(
        self, call: Call, changes: dict[str, Any], again: tuple[Step, ...], ordinal: int
    ) -> bool:
        await self._calls.change(call.id, changes, unset=_paths(again))
        wanted = _without(call, again).model_copy(update=changes)
        # Minus the ordinal within this request: clinics that ask at the same time take turns.
        await self.resume(wanted, priority=-ordinal)
        return True


def _another_chance(call: Call, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The failed ones of the steps; quota waits stay, they end by themselves."""
    failures = call.failures
    return tuple(s for s in steps if s in failures and failures[s].code != "limit_exceeded")


def _paths(steps: tuple[Step, ...]) -> list[str]:
    return [f"failures.{step}" for step in steps]


def _without(call: Call, steps: tuple[Step, ...]) -> Call:
    kept = {step: failure for step, failure in call.failures.items() if step not in steps}
    return call.model_copy(update={"failures": kept})
