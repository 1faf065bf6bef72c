"""Is the service alive (contract 0, GET /api/status)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

import medai

router = APIRouter(tags=["status"])


class Version(BaseModel):
    """What runs here."""

    version: str = Field(examples=["1.0.0"])


class StatusAnswer(BaseModel):
    """The contract's shape."""

    success: bool = True
    message: str = Field(examples=["Сервис работает"])
    data: Version


@router.get("/status", summary="Service status, open to everybody")
async def read_status() -> StatusAnswer:
    """The process answers; whether its stores do says /health/ready."""
    return StatusAnswer(message="Сервис работает", data=Version(version=medai.__version__))
