"""The analysis of one call for somebody who waits for it (contract 1.3, analyze-call-new)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from medai.calls.life import due_steps, is_done, open_steps
from medai.calls.models import Call, Failure, Step
from medai.calls.repository import CallRepository
from medai.errors import ConflictError, NotFoundError
from medai.kit.clock import Clock
from medai.processing.ports import Jobs
from medai.processing.requests import step_job
from medai.processing.stops import Stops

PATIENCE_SECONDS = 55.0
"""As long as the replaced system waited for a transcript (contract 1.3)."""
_LOOK_SECONDS = 0.25
_BEFORE_AND_ITSELF = (Step.RECORDING, Step.TRANSCRIPTION, Step.ANALYSIS)


@dataclass(frozen=True, slots=True)
class Waited:
    """The call when the waiting is over: analysed, or failed, or neither: then work goes on."""

    call: Call
    failure: Failure | None = None

    @property
    def is_over(self) -> bool:
        """Whether the analysis is there, the newer one if it was asked for."""
        return is_done(Step.ANALYSIS, self.call)


class SingleAnalysis:
    """Orders the analysis of a call and watches it. The order is durable: whoever stops waiting
    loses nothing, and a second order of the same call joins the first. Raises StoreError."""

    def __init__(
        self,
        calls: CallRepository,
        jobs: Jobs,
        stops: Stops,
        clock: Clock,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._calls = calls
        self._jobs = jobs
        self._stops = stops
        self._clock = clock
        self._patience = patience_seconds

    async def analysed(self, call: Call, *, again: bool = False) -> Waited:
        """The call with its analysis, which is asked for unless it is there; see `Waited`.

        `again` makes a newer one; the one that is there stays until then. Raises ConflictError for
        a call that nobody asked to transcribe, or that has nothing to transcribe.
        """
        if not is_done(Step.ANALYSIS, call) or again:
            await self._order(call)
        return await self.watched(call.id)

    async def watched(self, call_id: str) -> Waited:
        """Wait until the call is analysed, or fails and is not tried again while we wait.

        Raises NotFoundError for a call that has vanished.
        """
        deadline = monotonic() + self._patience
        while True:
            call = await self._calls.get(call_id)
            if call is None:
                raise NotFoundError("Звонок не найден: проверьте номер звонка")
            left = deadline - monotonic()
            failure = self._obstacle(call, max(left, 0.0))
            done = is_done(Step.ANALYSIS, call)
            if done or failure or left <= 0 or not open_steps(call):
                return Waited(call, None if done else failure)
            await asyncio.sleep(min(_LOOK_SECONDS, left))

    async def _order(self, call: Call) -> None:
        _check_transcribed(call)
        await self._stops.try_soon(call.client_id)
        now = self._clock()
        again = None if call.analysis is None else now
        wish = {"analysis_requested_at": now, "cancelled_at": None, "analysis_again_at": again}
        # Only what was seen is replaced: of two who ask at once the second must not ask for more
        # than the answer that the first one has just paid for.
        seen = call.analysis and call.analysis.analysed_at
        failed = [f"failures.{Step.ANALYSIS}"]
        await self._calls.change(call.id, wish, unset=failed, where={"analysis.analysed_at": seen})
        wanted = await self._calls.get(call.id) or call
        await self._jobs.defer_many([step_job(wanted, step) for step in due_steps(wanted, now)])

    def _obstacle(self, call: Call, seconds_left: float) -> Failure | None:
        """The failure that stands before the analysis for longer than we wait."""
        end = self._clock() + timedelta(seconds=seconds_left)
        for step in _BEFORE_AND_ITSELF:
            failure = None if is_done(step, call) else call.failures.get(step)
            if failure and (failure.next_try_at is None or failure.next_try_at > end):
                return failure
        return None


def _check_transcribed(call: Call) -> None:
    """Raises ConflictError when no transcript is there or on its way."""
    if call.transcript is not None:
        return
    if call.skip_reason is not None or not (call.recording_url or call.audio):
        raise ConflictError("У звонка нет записи разговора: анализировать нечего")
    if call.transcription_requested_at is None:
        raise ConflictError("Звонок ещё не расшифрован: сначала запустите расшифровку")
