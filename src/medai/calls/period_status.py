"""How far transcription or analysis of a period is, counted by the store (contract 1.2, 1.3).

Polled every few seconds while work runs: calls are counted where they lie, not read.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from medai.calls.models import Stage, Step
from medai.calls.repository import AFTER_TRANSCRIPT, CallRepository
from medai.errors import QuotaExceededError
from medai.infra.documents import Not, OneOf, Range, Where
from medai.kit.clock import Clock
from medai.kit.days import DayRange

SOON = timedelta(minutes=30)
"""A call that is tried again later than this does not keep a poller waiting."""

Overall = Literal["processing", "pending", "completed", "partial"]


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


class PeriodStatuses:
    """Counts. Raises StoreError."""

    def __init__(self, calls: CallRepository, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def transcription(self, client_id: str | None, days: DayRange) -> PeriodStatus:
        """Of the calls that have a recording."""
        stages = await self._calls.count_by("stage", client_id, days, {"skip_reason": None})
        status = PeriodStatus(success=sum(stages.get(stage.value, 0) for stage in AFTER_TRANSCRIPT))
        for stage, step in _BEFORE_TRANSCRIPT:
            if size := stages.get(stage.value, 0):
                await self._count(status, client_id, days, {"stage": stage.value}, step, size)
        await self._late(status, "transcription_requested_at", client_id, days, _UNTRANSCRIBED)
        return status

    async def analysis(self, client_id: str | None, days: DayRange) -> PeriodStatus:
        """Of the calls that have a transcript."""
        have = {"skip_reason": None, "stage": OneOf(tuple(s.value for s in AFTER_TRANSCRIPT))}
        found = await self._calls.count_by("analysis.call_type_id", client_id, days, have)
        undone = found.pop(None, 0)
        status = PeriodStatus(success=sum(found.values()))
        where = {**have, "analysis": None}
        if undone:
            await self._count(status, client_id, days, where, Step.ANALYSIS, undone)
        await self._late(status, "analysis_requested_at", client_id, days, where)
        return status

    async def _count(
        self,
        status: PeriodStatus,
        client_id: str | None,
        days: DayRange,
        where: Where,
        step: Step,
        size: int,
    ) -> None:
        """Add the calls of one unfinished step, `size` of them."""
        where, failure = {"skip_reason": None, **where}, f"failures.{step}"

        async def failed(inside: Where | None = None, **fields: object) -> dict[str | None, int]:
            """Calls by the code of their failure; None: of those without one."""
            inner = {f"{failure}.{name}": value for name, value in fields.items()}
            full = {**where, **(inside or {}), **inner}
            return await self._calls.count_by(f"{failure}.code", client_id, days, full)

        wish = _WISHES[step]
        codes = await failed()
        whole, limited = codes.pop(None, 0), codes.pop(QuotaExceededError.code, 0)
        final = resting = unasked = cancelled = 0
        if codes:
            soon, asked = self._clock() + SOON, {wish: Not(None)}
            final = _others(await failed(next_try_at=None))
            resting = _others(await failed(asked, next_try_at=Range(above=soon))) + _others(
                await failed(asked, next_try_at=Range(at_most=soon), stop=Not(None))
            )
            cancelled = _others(await failed({wish: None}, next_try_at=Not(None)))
        if whole:
            untouched = {**where, failure: None, wish: None}
            moments = await self._calls.count_by("cancelled_at", client_id, days, untouched)
            unasked = moments.pop(None, 0)
            cancelled += sum(moments.values())
        status.failed += final
        status.resting += resting
        status.limit_exceeded += limited
        status.unasked += unasked
        status.cancelled += cancelled
        status.processing += size - final - resting - limited - unasked - cancelled

    async def _late(
        self, status: PeriodStatus, wish: str, client_id: str | None, days: DayRange, where: Where
    ) -> None:
        """Which of the unasked came, or got their recording, after the last request."""
        if not status.unasked or status.processing:
            return
        asked_at = await self._calls.newest_asked(wish, client_id, days)
        if asked_at is None:
            return
        late = {"skip_reason": None, **where, wish: None, "cancelled_at": None}
        found = await self._calls.count_by(
            "stage", client_id, days, {**late, "updated_at": Range(above=asked_at)}
        )
        status.latecomers = min(sum(found.values()), status.unasked)


def _others(codes: dict[str | None, int]) -> int:
    """All but calls without a failure and those that wait for minutes."""
    return sum(n for code, n in codes.items() if code not in (None, QuotaExceededError.code))


_BEFORE_TRANSCRIPT = ((Stage.RECORDED, Step.RECORDING), (Stage.AUDIO_STORED, Step.TRANSCRIPTION))
_UNTRANSCRIBED: Where = {"stage": OneOf(tuple(stage.value for stage, _ in _BEFORE_TRANSCRIPT))}
_WISHES = {
    Step.RECORDING: "transcription_requested_at",
    Step.TRANSCRIPTION: "transcription_requested_at",
    Step.ANALYSIS: "analysis_requested_at",
}
