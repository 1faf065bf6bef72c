"""How far the analysis of days is, counted by the store (contract 1.3)."""

from datetime import datetime
from typing import Literal

from medai.calls.repository import CallRepository
from medai.infra.documents import Not
from medai.kit.clock import Clock
from medai.kit.days import DayRange
from medai.kit.model import Frozen
from medai.processing.run_book import LONG
from medai.processing.runs import RunKind, Runs

_TRANSCRIBED = {"skip_reason": None, "transcript": Not(None)}
_NOT_ANALYSED = {**_TRANSCRIBED, "analysis": None}
_FAILURE = "failures.analysis"

Overall = Literal["processing", "pending", "completed", "partial"]


class AnalysisCounts(Frozen):
    """Transcribed calls by the status of their analysis. `was_asked`: a run did."""

    pending: int
    processing: int
    success: int
    failed: int
    was_asked: bool

    @property
    def total(self) -> int:
        """All transcribed calls."""
        return self.pending + self.processing + self.success + self.failed

    @property
    def overall(self) -> Overall:
        """processing, pending, completed or partial, decided in this order (contract 1.2).

        Calls that nobody asked to analyse are pending only while no run has asked for these days:
        a transcript that comes after the run must not keep its clients polling for ever.
        """
        if self.processing:
            return "processing"
        if self.pending and not self.was_asked:
            return "pending"
        return "partial" if self.pending or self.failed else "completed"


class AnalysisProgress:
    """Counts without reading calls: a status is asked for often. Raises StoreError."""

    def __init__(self, calls: CallRepository, runs: Runs, clock: Clock) -> None:
        self._calls = calls
        self._runs = runs
        self._clock = clock

    async def of(
        self, client_id: str | None, days: DayRange, raw: tuple[str, str]
    ) -> AnalysisCounts:
        """The counts of the days; `raw` are the dates as the client writes them in all requests."""
        counted = self._calls.count_by
        types = await counted("analysis.call_type_id", client_id, days, _TRANSCRIBED)
        failing = await counted(
            f"{_FAILURE}.next_try_at", client_id, days, {**_NOT_ANALYSED, _FAILURE: Not(None)}
        )
        asked = {**_NOT_ANALYSED, _FAILURE: None, "analysis_requested_at": Not(None)}
        waiting = sum((await counted("client_id", client_id, days, asked)).values())
        failed = sum(count for at, count in failing.items() if self._is_failed(at))
        processing = waiting + sum(failing.values()) - failed
        open_calls = types.pop(None, 0)
        return AnalysisCounts(
            pending=max(0, open_calls - failed - processing),
            processing=processing,
            success=sum(types.values()),
            failed=failed,
            was_asked=await self._was_asked(client_id, raw),
        )

    def _is_failed(self, next_try_at: datetime | None) -> bool:
        """For good, or for longer than anybody polls (a provider stands still)."""
        return next_try_at is None or next_try_at > self._clock() + LONG

    async def _was_asked(self, client_id: str | None, raw: tuple[str, str]) -> bool:
        """Whether a run has asked for the calls of the days: all of them are marked by then."""
        run = await self._runs.latest(client_id, RunKind.ANALYSIS, *raw)
        return run is not None and (run.wanted > 0 or run.state != "running")
