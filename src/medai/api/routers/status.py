"""Is the service alive (contract 0, GET /api/status)."""

from typing import Any

from fastapi import APIRouter

import medai

router = APIRouter(tags=["status"])


@router.get("/status", summary="Service status, open to everybody")
async def read_status() -> dict[str, Any]:
    """The contract's shape."""
    return {
        "success": True,
        "message": "Сервис работает",
        "data": {"version": medai.__version__},
    }
