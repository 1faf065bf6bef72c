"""Requests for work as stored runs: how far they are, and taking them back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from medai.api.dependencies import App
from medai.processing.run_book import RunView
from medai.processing.runs import Run

router = APIRouter(prefix="/runs", tags=["runs"])

_OURS = {"phase", "attempts", "weeks", "months"}
"""How a run is carried out is nobody's business outside."""


@router.get("", summary="The newest runs")
async def runs(
    app: App, client_id: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> dict[str, Any]:
    """Newest first, of one clinic or of all."""
    found = [_shown(run) for run in await app.run_book.newest(client_id, limit)]
    return {"runs": found, "total": len(found)}


@router.get("/{run_id}", summary="How far a run is")
async def run(run_id: str, app: App) -> dict[str, Any]:
    """The run with counts of its calls at this moment. 404 for an unknown run."""
    return _view(await app.run_book.look(run_id))


@router.post("/{run_id}/cancel", summary="Cancel a run")
async def cancel(run_id: str, app: App) -> dict[str, Any]:
    """Steps under way end, nothing further starts. 404 unknown, 409 when it has ended."""
    return _view(await app.run_book.cancel(run_id))


def _view(view: RunView) -> dict[str, Any]:
    progress = view.progress
    return {
        **_shown(view.run),
        "progress": {
            "calls": progress.total,
            "settled": progress.settled,
            "transcribed": progress.transcribed,
            "noted": progress.noted,
            "analysed": progress.analysed,
            "working": progress.working,
            "waiting": dict(progress.waiting),
            "failed": dict(progress.failed),
        },
    }


def _shown(run: Run) -> dict[str, Any]:
    return run.model_dump(mode="json", exclude=_OURS)
