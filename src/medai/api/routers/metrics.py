"""Metrics into PostgreSQL on demand (contract 1.5, POST postgres/sync-now)."""

from typing import Any

from fastapi import APIRouter

from medai.api.dependencies import App, Installation

router = APIRouter(prefix="/postgres", tags=["postgres"])


@router.post("/sync-now", summary="Write the metrics of changed days to PostgreSQL")
async def sync_now(app: App, _: Installation) -> dict[str, Any]:
    """Export now; a failure is a failure, not a success with a text."""
    rows = await app.exports.export(None)
    lines = [f"{table}: {count}" for table, count in rows.items()]
    return {
        "success": True,
        "message": "Метрики записаны в PostgreSQL",
        "output": "\n".join(lines) or "изменений нет",
    }
