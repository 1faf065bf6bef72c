"""Synchronising calls from the CRM (contract 1.1)."""

from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Who
from medai.errors import NotFoundError
from medai.processing.runs import RunKind

router = APIRouter(prefix="/calls-events", tags=["calls-events"])


class ExportOrder(BaseModel):
    """Body of POST calls-events/export. Fields that the old system ignored stay accepted."""

    client_id: str
    start_date: str | None = None
    end_date: str | None = None
    max_pages: int = Field(50, ge=1, le=100)
    detailed: bool = True
    max_calls: int = Field(5000, ge=1, le=10000)
    concurrency: int = Field(5, ge=1, le=20)
    filter_zero_duration: bool = True


@router.post("/export", summary="Start pulling calls of the days from the CRM")
async def start_export(order: ExportOrder, app: App, who: Who) -> dict[str, Any]:
    """Queue the sync and answer at once; results come from export-results."""
    started = monotonic()
    who.require(order.client_id)
    clinic = await app.clinics.require(order.client_id)
    first, last = _dates(order, app.clock().date().isoformat())
    run_id = await app.asked.sync(clinic.client_id, first, last)
    return {
        "success": True,
        "message": "Экспорт звонков запущен",
        "run_id": run_id,
        "total_found": 0,
        "tasks_queued": 1,
        "duration_seconds": round(monotonic() - started, 3),
        "detailed_mode": order.detailed,
        "max_calls_limit": order.max_calls,
        "note": "Результаты: GET /api/calls-events/export-results с теми же датами",
    }


@router.get("/export-results", summary="Statistics of a finished sync")
async def read_results(
    client_id: Annotated[str, Query()],
    start_date: Annotated[str, Query()],
    end_date: Annotated[str, Query()],
    app: App,
    who: Who,
) -> dict[str, Any]:
    """Statistics of the newest run for exactly these dates; 404 until it has ended."""
    who.require(client_id)
    run = await app.runs.latest(client_id, RunKind.SYNC, start_date, end_date)
    if run is None or run.state == "running":
        raise NotFoundError("Статистика ещё не готова: повторите запрос позже")
    return {
        "success": run.state == "completed",
        "message": run.error or "Экспорт звонков завершён",
        "statistics": {
            "client_id": run.client_id,
            "start_date": run.first,
            "end_date": run.last,
            **run.statistics,
            "created_at": run.finished_at.isoformat() if run.finished_at else None,
        },
    }


def _dates(order: ExportOrder, today: str) -> tuple[str, str]:
    first = order.start_date or order.end_date or today
    return first, order.end_date or first
