"""What the range endpoints of transcription and analysis share (contract 1.2, 1.3)."""

from collections.abc import Awaitable, Callable
from time import monotonic

from medai.api.routers.call_shapes import RangeStarted, RangeStatus, StatusBreakdown
from medai.calls.period_status import PeriodStatus
from medai.processing.person_requests import Asked


async def started(request: Callable[[], Awaitable[Asked]], message: str) -> RangeStarted:
    """The answer of a start endpoint."""
    begun = monotonic()
    asked = await request()
    return RangeStarted(
        message=message,
        total_found=asked.found,
        tasks_queued=asked.queued,
        duration_seconds=round(monotonic() - begun, 3),
        run_id=asked.run_id,
    )


def period_answer(status: PeriodStatus, *, done: int) -> RangeStatus:
    """The status shape of the contract; `done` calls make up the progress."""
    return RangeStatus(
        overall_status=status.overall,
        total_calls=status.total,
        status_breakdown=StatusBreakdown(
            pending=status.pending,
            processing=status.processing,
            success=status.success,
            failed=status.failed,
        ),
        progress_percentage=round(done / status.total * 100, 2) if status.total else 0,
        limit_exceeded=status.limit_exceeded,
    )
