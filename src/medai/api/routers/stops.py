"""Which providers stand still, and why."""

from fastapi import APIRouter
from pydantic import BaseModel

from medai.api.dependencies import App
from medai.processing.stops import Stop

router = APIRouter(tags=["stops"])


class StopsAnswer(BaseModel):
    """All standing stops. A stop with a `client_id` of null concerns every clinic."""

    stops: list[Stop]


@router.get("/stops", summary="Providers that stand still")
async def stops(app: App) -> StopsAnswer:
    """Why calls wait for a provider, since when, and when one of them tries again."""
    return StopsAnswer(stops=[stop async for stop in app.stops.standing()])


@router.post("/stops/try", summary="Try stopped providers now")
async def try_now(app: App) -> StopsAnswer:
    """One waiting call of each stop tries at once; the others follow when it passes."""
    await app.stops.try_soon()
    await app.sweeps.try_stopped()
    return StopsAnswer(stops=[stop async for stop in app.stops.standing()])
