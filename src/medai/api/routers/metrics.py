"""Metrics into PostgreSQL on demand (contract 1.5 postgres). For keys of all clinics."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Installation
from medai.api.errors import problems

router = APIRouter(prefix="/postgres", tags=["postgres"])

_LONGEST_OUTPUT = 1000


class ExportAnswer(BaseModel):
    """`output` holds at most 1000 characters."""

    success: bool
    message: str = Field(examples=["Метрики записаны в PostgreSQL"])
    output: str = Field(examples=["daily_summary_metrics: 12"])


class AgainAnswer(BaseModel):
    """`days`: how many up-to-date days will be written again; the others were due anyway."""

    success: bool
    message: str = Field(examples=["Выгрузка всех дней поставлена в очередь"])
    days: int


@router.post(
    "/sync-now",
    summary="Write the metrics of changed days to PostgreSQL",
    responses=problems(503),
)
async def sync_now(app: App, _: Installation) -> ExportAnswer:
    """Export now, after the one that may be running; a failure is a failure, not a success with a
    text."""
    rows = await app.exports.export(None)
    lines = "\n".join(f"{table}: {count}" for table, count in rows.items())
    return ExportAnswer(
        success=True,
        message="Метрики записаны в PostgreSQL",
        output=lines[-_LONGEST_OUTPUT:] or "изменений нет",
    )


@router.post("/restart-exporter", summary="Write the metrics of all days again")
async def restart_exporter(app: App, _: Installation) -> AgainAnswer:
    """There is no exporter to restart: workers export. Every known day is written again, which is
    what people restarted it for."""
    days = await app.asked.whole_export()
    message = "Выгрузка всех дней поставлена в очередь"
    return AgainAnswer(success=True, message=message, days=days)
