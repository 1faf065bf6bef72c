"""For machines that watch the service: measures, liveness, readiness. Outside /api."""

import asyncio

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from medai.api.dependencies import App
from medai.infra import measures
from medai.processing.exposition import families

router = APIRouter(tags=["watching"])


@router.get("/metrics", summary="Measures in Prometheus' text format")
async def read_measures(app: App) -> Response:
    """What this process has counted, and how the fleet stands (at most five seconds old)."""
    reading = await app.figures.reading()
    body = await asyncio.to_thread(measures.exposition, families(reading))
    return Response(body, media_type=CONTENT_TYPE_LATEST)


@router.get("/health/live", summary="The process answers; open to everybody")
async def live() -> dict[str, str]:
    """200 as long as the event loop turns: restart the process when this fails."""
    return {"status": "alive"}


@router.get("/health/ready", summary="The stores answer; open to everybody")
async def ready(app: App) -> JSONResponse:
    """200 when both stores answer within three seconds, else 503; the log names the one away."""
    good = all((await app.readiness.check()).values())
    return JSONResponse(
        {"status": "ready" if good else "not_ready"}, status_code=200 if good else 503
    )
