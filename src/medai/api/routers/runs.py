"""Requests for work as stored runs: how far they are, and taking them back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from medai.api.dependencies import App, Who
from medai.processing.run_book import RunView
from medai.processing.runs import Run, unknown_run

router = APIRouter(prefix="/runs", tags=["runs"])

_OURS = {"phase", "attempts", "weeks", "months", "next_day", "skip_known", "outcomes"}
"""How a run is carried out is nobody's business outside."""


@router.get("", summary="The newest runs")
async def runs(
    app: App,
    who: Who,
    client_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:
    """Newest first, of one clinic or of all."""
    newest = await app.run_book.newest(who.clinic(client_id), limit)
    found = [_shown(run) for run in newest]
    return {"runs": found, "total": len(found)}


@router.get("/{run_id}", summary="How far a run is")
async def run(run_id: str, app: App, who: Who) -> dict[str, Any]:
    """The run with counts of its calls at this moment. 404 for an unknown run."""
    await _check(run_id, app, who)
    return _view(await app.run_book.look(run_id))


@router.post("/{run_id}/cancel", summary="Cancel a run")
async def cancel(run_id: str, app: App, who: Who) -> dict[str, Any]:
    """Steps under way end, nothing further starts. 404 unknown, 409 when it has ended."""
    await _check(run_id, app, who)
    return _view(await app.run_book.cancel(run_id))


async def _check(run_id: str, app: App, who: Who) -> None:
    """Raises NotFoundError for a run outside the grant, in the words of an unknown one."""
    found = await app.runs.get(run_id)
    if found is not None and not who.grant.allows(found.client_id):
        raise unknown_run()


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
