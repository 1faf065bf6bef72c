"""How far transcription or analysis of a period is (contract 1.2, 1.3).

Polled every few seconds while work runs: calls are not read, the store groups them by how they
stand, and pure rules say what is going on with each group.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from medai.calls.life import lacks_analysis
from medai.calls.models import Stage, Step
from medai.calls.repository import AFTER_TRANSCRIPT, CallRepository
from medai.calls.standing import Facts
from medai.errors import QuotaExceededError
from medai.infra.documents import OneOf, Range, Where
from medai.kit.clock import Clock
from medai.kit.days import DayRange

SOON = timedelta(minutes=30)
"""A call that is tried again later than this does not keep a poller waiting."""

Overall = Literal["processing", "pending", "completed", "partial"]
State = Literal[
    "success", "failed", "processing", "unasked", "resting", "cancelled", "limit_exceeded"
]
"""What is going on with a call; the names are those of the counts in `PeriodStatus`."""
Rule = Callable[[Facts, datetime], State | None]


@dataclass(slots=True)
class PeriodStatus:
    """Calls of a period by what is going on with them.

    `unasked`: nobody has asked for them. `resting`: asked for, but they wait long or for a person
    (retry in hours, a provider that stands still). `latecomers`: those of the unasked that changed
    after the last request. `limit_exceeded`: waiting for minutes.
    """

    success: int = 0
    failed: int = 0
    processing: int = 0
    unasked: int = 0
    latecomers: int = 0
    resting: int = 0
    cancelled: int = 0
    limit_exceeded: int = 0

    @property
    def pending(self) -> int:
        """Whatever is neither done, failed nor going on (contract 1.2)."""
        return self.unasked + self.resting + self.cancelled + self.limit_exceeded

    @property
    def total(self) -> int:
        """All of them."""
        return self.success + self.failed + self.processing + self.pending

    @property
    def overall(self) -> Overall:
        """processing, pending, completed or partial, decided in this order.

        Pending only while a request can change it: what waits for minutes, for a person or for
        another day ends the polling as partial, as does a call that came after the request.
        """
        if self.processing:
            return "processing"
        if self.unasked > self.latecomers:
            return "pending"
        return "completed" if self.success == self.total else "partial"


def transcription_state(call: Facts, now: datetime) -> State | None:
    """What is going on with a call's transcript; None without a recording."""
    if call.skip_reason is not None:
        return None
    if call.stage in AFTER_TRANSCRIPT:
        return "success"
    step = _BEFORE_TRANSCRIPT.get(call.stage)
    return _unfinished(call, step, call.transcription_requested_at, now) if step else None


def analysis_state(call: Facts, now: datetime) -> State | None:
    """What is going on with a call's analysis; None without a transcript."""
    if call.skip_reason is not None or call.stage not in AFTER_TRANSCRIPT:
        return None
    if not lacks_analysis(call):
        return "success"
    return _unfinished(call, Step.ANALYSIS, call.analysis_requested_at, now)


def _unfinished(call: Facts, step: Step, asked_at: datetime | None, now: datetime) -> State:
    failure = call.failures.get(step)
    if failure is None:
        if asked_at is not None:
            return "processing"
        return "unasked" if call.cancelled_at is None else "cancelled"
    if failure.code == QuotaExceededError.code:
        return "limit_exceeded"
    if failure.next_try_at is None:
        return "failed"
    if asked_at is None:
        return "cancelled"
    rests = failure.next_try_at > now + SOON or failure.stop is not None
    return "resting" if rests else "processing"


def counted(calls: Iterable[tuple[Facts, int]], rule: Rule, now: datetime) -> PeriodStatus:
    """The status of a period from how its calls stand and how many stand so."""
    states = Counter[str]()
    for call, count in calls:
        if (state := rule(call, now)) is not None:
            states[state] += count
    return PeriodStatus(**states)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a period is asked for: `among` are the calls that take part, `undone` those of them
    whose result is missing, `wish` is the field of the moment when somebody asked for it."""

    rule: Rule
    wish: str
    among: Where
    undone: Where


class PeriodStatuses:
    """Counts. Raises StoreError."""

    def __init__(self, calls: CallRepository, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def transcription(self, client_id: str | None, days: DayRange) -> PeriodStatus:
        """Of the calls that have a recording."""
        return await self._status(_TRANSCRIPTION, client_id, days)

    async def analysis(self, client_id: str | None, days: DayRange) -> PeriodStatus:
        """Of the calls that have a transcript."""
        return await self._status(_ANALYSIS, client_id, days)

    async def _status(
        self, asked: _Question, client_id: str | None, days: DayRange
    ) -> PeriodStatus:
        calls = await self._calls.standings(client_id, days, asked.among)
        status = counted(calls, asked.rule, self._clock())
        if status.unasked and not status.processing:
            late = await self._late(asked, client_id, days)
            status.latecomers = min(late, status.unasked)
        return status

    async def _late(self, asked: _Question, client_id: str | None, days: DayRange) -> int:
        """How many came, or got their recording, after the last request for any of the days."""
        moments = await self._calls.count_by(asked.wish, client_id, days)
        moments.pop(None, None)
        if not moments:
            return 0
        since = {"updated_at": Range(above=max(moments)), asked.wish: None, "cancelled_at": None}
        where = {"skip_reason": None, **asked.among, **asked.undone, **since}
        return sum((await self._calls.count_by("stage", client_id, days, where)).values())


_BEFORE_TRANSCRIPT = {Stage.RECORDED: Step.RECORDING, Stage.AUDIO_STORED: Step.TRANSCRIPTION}
_TRANSCRIPTION = _Question(
    rule=transcription_state,
    wish="transcription_requested_at",
    among={},
    undone={"stage": OneOf(tuple(stage.value for stage in _BEFORE_TRANSCRIPT))},
)
_ANALYSIS = _Question(
    rule=analysis_state,
    wish="analysis_requested_at",
    among={"stage": OneOf(tuple(stage.value for stage in AFTER_TRANSCRIPT))},
    undone={"analysis": None},
)
