"""Waiting for runs on behalf of clients that expect the outcome in the answer (contract 1.1).

The work is durable and knows nothing of who waits: whoever hangs up loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from time import monotonic

from medai.kit.clock import Clock
from medai.processing.runs import Run, Runs

_FIRST_LOOK_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_GROWTH = 1.5
_WORKER_LOOK_SECONDS = 1.5
"""A fleet that is just being restarted has no worker for a moment: two looks in a row decide."""

Question = Callable[[], Awaitable[bool]]


class Ending(StrEnum):
    """Why the waiting is over."""

    ENDED = "ended"
    NO_WORKER = "no_worker"
    TOO_LONG = "too_long"
    LATER = "later"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Waited:
    """The runs as they stand, and why nobody waits any longer. `LATER`: the CRM failed and is
    asked again only after the longest wait."""

    runs: list[Run]
    ending: Ending


class Waiting:
    """Waits at most so long, and not at all when nobody works. Raises StoreError."""

    def __init__(
        self, runs: Runs, has_worker: Question, clock: Clock, *, longest_seconds: float
    ) -> None:
        self._runs = runs
        self._has_worker = has_worker
        self._clock = clock
        self._longest = longest_seconds

    async def until_ended(self, run_ids: Sequence[str], has_left: Question) -> Waited:
        """Wait for all of the runs. `has_left` tells whether the client has hung up."""
        deadline = monotonic() + self._longest
        pause, looked, missing = _FIRST_LOOK_SECONDS, monotonic(), False
        while True:
            runs = [await self._runs.require(run_id) for run_id in run_ids]
            if ending := await self._ending(runs, deadline, has_left):
                return Waited(runs, ending)
            if monotonic() - looked >= _WORKER_LOOK_SECONDS:
                was_missing, missing = missing, not await self._has_worker()
                if was_missing and missing:
                    return Waited(runs, Ending.NO_WORKER)
                looked = monotonic()
            await asyncio.sleep(max(0.0, min(pause, deadline - monotonic())))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)

    async def _ending(self, runs: list[Run], deadline: float, has_left: Question) -> Ending | None:
        going = [run for run in runs if run.state == "running"]
        if not going:
            return Ending.ENDED
        left = deadline - monotonic()
        if left <= 0:
            return Ending.TOO_LONG
        resumes = self._clock() + timedelta(seconds=left)
        if all(run.next_try_at is not None and run.next_try_at > resumes for run in going):
            return Ending.LATER
        return Ending.LEFT if await has_left() else None
