"""The sandbox's own knobs of the ElevenLabs account."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from medai.sandbox.elevenlabs.account import ElevenLabs


class CapacityOrder(BaseModel):
    """POST /control/elevenlabs/capacity: slots of the plan, seconds that each recognition takes."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(ge=1)
    work_seconds: float = Field(0.0, ge=0)


def build_router(account: ElevenLabs) -> APIRouter:
    """Routes under /control/elevenlabs."""
    router = APIRouter()

    @router.get("/capacity")
    def read() -> dict[str, float]:
        found = account.capacity
        return {
            "limit": found.limit,
            "used": found.used,
            "peak": found.peak,
            "work_seconds": found.work_seconds,
            "transcripts": len(account.transcripts),
        }

    @router.post("/capacity")
    def change(order: CapacityOrder) -> dict[str, bool]:
        account.capacity.limit = order.limit
        account.capacity.work_seconds = order.work_seconds
        return {"ok": True}

    return router
