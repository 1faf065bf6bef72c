"""For machines that watch the service: measures, liveness, readiness. Outside /api."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from medai.api.dependencies import App, Installation
from medai.api.errors import problems
from medai.infra import measures
from medai.processing.exposition import families

router = APIRouter(tags=["watching"])


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether the stores answer too."""

    status: Literal["ready", "not_ready"]


@router.get(
    "/metrics",
    summary="Measures in Prometheus' text format",
    response_class=PlainTextResponse,
    responses=problems(401, 403, 429, 503),
)
async def read_measures(app: App, _: Installation) -> Response:
    """What this process has counted, and how the fleet stands (at most five seconds old).

    It speaks of every clinic: a key of some of them is refused.
    """
    reading = await app.figures.reading()
    body = await asyncio.to_thread(measures.exposition, families(reading))
    return Response(body, media_type=CONTENT_TYPE_LATEST)


@router.get("/health/live", summary="The process answers; open to everybody")
async def live() -> Liveness:
    """200 as long as the event loop turns: restart the process when this fails."""
    return Liveness()


@router.get(
    "/health/ready",
    summary="The stores answer; open to everybody",
    responses={503: {"model": Readiness, "description": "База данных не отвечает"}},
)
async def ready(app: App, response: Response) -> Readiness:
    """200 when both stores answer within three seconds, else 503; the log names the one away."""
    good = all((await app.readiness.check()).values())
    response.status_code = 200 if good else 503
    return Readiness(status="ready" if good else "not_ready")
