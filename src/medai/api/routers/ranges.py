"""What the range endpoints of transcription and analysis share (contract 1.2, 1.3)."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any

from medai.calls.models import Call
from medai.processing.person_requests import Asked

STATUSES = ("pending", "processing", "success", "failed")


async def started(request: Callable[[], Awaitable[Asked]], message: str) -> dict[str, Any]:
    """The answer of a start endpoint."""
    begun = monotonic()
    asked = await request()
    return {
        "message": message,
        "total_found": asked.found,
        "tasks_queued": asked.queued,
        "duration_seconds": round(monotonic() - begun, 3),
    }


async def counted(calls: AsyncIterator[Call], status_of: Callable[[Call], str]) -> Counter[str]:
    """Calls by status; any other status counts as pending, as old clients expect."""
    counts: Counter[str] = Counter()
    async for call in calls:
        status = status_of(call)
        counts[status if status in STATUSES else "pending"] += 1
    return counts


def status_answer(counts: Counter[str], *, finished: tuple[str, ...]) -> dict[str, Any]:
    """The status shape of the contract; `finished` statuses make up the progress."""
    total = counts.total()
    done = sum(counts[status] for status in finished)
    return {
        "overall_status": overall_status(counts),
        "total_calls": total,
        "status_breakdown": {status: counts[status] for status in STATUSES},
        "progress_percentage": round(done / total * 100, 2) if total else 0,
    }


def overall_status(counts: Counter[str]) -> str:
    """processing, pending, completed or partial, decided in this order (contract 1.2)."""
    if counts["processing"]:
        return "processing"
    if counts["pending"]:
        return "pending"
    return "partial" if counts["failed"] else "completed"
