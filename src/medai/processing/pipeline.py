"""One step of one call: load, do what is due, store the result or the failure, queue the next.

Every step may run twice or on two workers: it looks at the stored call first and writes only what
it has to. A failure never escapes: it becomes words on the call and a next try.
"""

from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from medai.calls.life import due_steps, is_done
from medai.calls.models import Call, Failure, Step
from medai.calls.repository import CallRepository
from medai.datalens.days import ExportDays
from medai.errors import MedaiError, QuotaExceededError
from medai.kit.clock import Clock
from medai.limits.service import LimitService
from medai.processing.ports import Jobs
from medai.processing.requests import step_job
from medai.processing.rescoring import BookingRescore
from medai.processing.retries import (
    failure_code,
    failure_message,
    next_try_at,
    uses_up_attempt,
)
from medai.processing.stops import Stop, Stops, says_stop
from medai.processing.sweeps import Sweeps

_log = structlog.get_logger(__name__)


Facts = dict[str, Any]
"""What a step found out: the fields to set on the call."""

StepAction = Callable[[Call], Awaitable[Facts]]
"""Carries out one step of a call. Raises the MedaiError family."""


@dataclass(frozen=True, slots=True)
class PipelineParts:
    """What every step needs besides its own action."""

    calls: CallRepository
    limits: LimitService
    export_days: ExportDays
    rescore: BookingRescore
    jobs: Jobs
    stops: Stops
    sweeps: Sweeps
    clock: Clock


class CallPipeline:
    """Carries calls through their steps."""

    def __init__(self, parts: PipelineParts, actions: dict[Step, StepAction]) -> None:
        self._parts = parts
        self._actions = actions

    async def run(self, step: Step, call_id: str, *, priority: int = 0) -> None:
        """Do one step of a call if it is due, then queue what has become due, as urgent as it.

        A job that comes before the step's next try (a person asked in between) does nothing.

        Raises StoreError only: without a store nothing can be written down.
        """
        call = await self._parts.calls.get(call_id)
        if call is None:
            _log.warning("job for an unknown call", call_id=call_id, step=step.value)
            return
        due, queued = due_steps(call, self._parts.clock()), set[Step]()
        if step in due:
            # What is due beside this step has its job: the note must not queue the analysis again.
            queued = set(due) - {step}
            call = await self._attempt(step, call)
        elif is_done(step, call) and (step is Step.TRANSCRIPTION or _is_behind(step, call)):
            # The job is repeated because its worker died: perhaps between two writes.
            call = await self._finished(step, call, rebooked=True)
        await self._queue_next(step, call, priority, queued)

    async def _attempt(self, step: Step, call: Call) -> Call:
        log = _log.bind(call_id=call.id, client_id=call.client_id, step=step.value)
        trial: Stop | None = None
        try:
            trial = await self._parts.stops.pass_or_raise(step, call)
            facts = await self._actions[step](call)
        except MedaiError as error:
            log.warning("step failed", code=error.code)
            return await self._failed(step, call, error, trial)
        except Exception as error:
            log.exception("step broke", error=type(error).__name__)
            return await self._failed(step, call, error, trial)
        log.info("step done")
        if trial is not None:
            # Before this call is done: whoever watches would see nothing but calls that wait.
            await self._parts.sweeps.resume(trial.id)
        return await self._done(step, call, facts)

    async def _done(self, step: Step, call: Call, facts: Facts) -> Call:
        fields = {**facts, "updated_at": self._parts.clock()}
        # The note and the analysis may finish at the same moment: each touches only its own.
        await self._parts.calls.change(call.id, fields, unset=[f"failures.{step}"])
        after = await self._reloaded(call)
        # Booked while the model was thinking?
        return await self._finished(step, after, rebooked=after.converted != call.converted)

    async def _finished(self, step: Step, call: Call, *, rebooked: bool) -> Call:
        """What follows from a result that is stored; doing it again changes nothing."""
        parts = self._parts
        if step is Step.TRANSCRIPTION:
            # Only after the call is stored: until then a repeated job must find it and not pay.
            await parts.limits.release(call.client_id, call.id)
        if step is Step.ANALYSIS and rebooked:
            await parts.rescore.apply(call.id)
        # After these, because a call whose stage is behind gets them again.
        await parts.calls.advance(call.id, step.stage)
        if step in (Step.TRANSCRIPTION, Step.ANALYSIS):
            # A death before this is healed: the first by the repeated job, the second by the
            # export, which looks for analysed calls.
            await parts.export_days.touch(call.client_id, call.business_day)
        return await self._reloaded(call)

    async def _failed(self, step: Step, call: Call, error: Exception, trial: Stop | None) -> Call:
        if step is Step.TRANSCRIPTION:
            # First: a call that has failed has no job any more that would give the minutes back.
            await self._parts.limits.give_up(call.client_id, call.id)
        before = call.failures[step].attempts if step in call.failures else 0
        attempts = before + uses_up_attempt(error)
        failure = Failure(
            code=failure_code(error),
            message=failure_message(error),
            attempts=attempts,
            failed_at=self._parts.clock(),
            next_try_at=await self._next_try(call, error, attempts),
            stop=await self._stop(step, call, error, trial),
        )
        await self._parts.calls.change(
            call.id,
            {f"failures.{step}": failure.model_dump(), "updated_at": self._parts.clock()},
        )
        if failure.stop and not await self._parts.stops.stands(failure.stop):
            # It was lifted while this was written: those who woke the waiting did not see it.
            again = {f"failures.{step}.next_try_at": self._parts.clock()}
            await self._parts.calls.change(call.id, again)
        return await self._reloaded(call)

    async def _stop(
        self, step: Step, call: Call, error: Exception, trial: Stop | None
    ) -> str | None:
        """What the call waits for; a trial that failed otherwise is followed by another one."""
        stops = self._parts.stops
        if trial is not None and not says_stop(error):
            await stops.postpone(trial)
        return await stops.put_up(error, step, call.client_id)

    async def _next_try(self, call: Call, error: Exception, attempts: int) -> datetime | None:
        reset = None
        if isinstance(error, QuotaExceededError):
            seconds = call.audio.seconds if call.audio else 0
            reset = await self._parts.limits.next_reset(call.client_id, seconds)
        return next_try_at(error, attempts, self._parts.clock(), quota_reset=reset)

    async def _queue_next(
        self, done: Step, call: Call, priority: int, queued: Container[Step]
    ) -> None:
        """Queue due steps, and the repetition of this one if it failed and may be repeated."""
        for step in due_steps(call, self._parts.clock()):
            if step not in queued:
                await self._parts.jobs.defer(step_job(call, step, priority=priority))
        failure = call.failures.get(done)
        if failure and failure.next_try_at:
            again = step_job(call, done, at=failure.next_try_at, priority=priority)
            await self._parts.jobs.defer(again)

    async def _reloaded(self, call: Call) -> Call:
        return await self._parts.calls.get(call.id) or call


def _is_behind(step: Step, call: Call) -> bool:
    return call.stage.rank < step.stage.rank
