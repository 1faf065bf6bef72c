"""Which providers stand still, and why."""

from fastapi import APIRouter
from pydantic import BaseModel

from medai.api.dependencies import App, Installation, Who
from medai.processing.stops import Stop

router = APIRouter(tags=["stops"])


class StopsAnswer(BaseModel):
    """All standing stops. A stop with a `client_id` of null concerns every clinic."""

    stops: list[Stop]


@router.get("/stops", summary="Providers that stand still")
async def stops(app: App, who: Who) -> StopsAnswer:
    """Why calls wait for a provider, since when, and when one of them tries again."""
    standing = [stop async for stop in app.stops.standing()]
    concerned = [s for s in standing if s.client_id is None or who.grant.allows(s.client_id)]
    return StopsAnswer(stops=concerned)


@router.post("/stops/try", summary="Try stopped providers now")
async def try_now(app: App, _: Installation) -> StopsAnswer:
    """One waiting call of each stop tries at once; the others follow when it passes."""
    await app.stops.try_soon()
    await app.sweeps.try_stopped()
    return StopsAnswer(stops=[stop async for stop in app.stops.standing()])
