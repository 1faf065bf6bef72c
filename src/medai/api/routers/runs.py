"""Requests for work as stored runs: how far they are, and taking them back."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.parameters import AnyClinicId
from medai.processing.run_book import RunView
from medai.processing.runs import Run, RunState, unknown_run

router = APIRouter(prefix="/runs", tags=["runs"])


class ShownRun(BaseModel):
    """A run without how it is carried out. `client_id` null: all clinics.

    `first` and `last` are the dates as they were sent; `error` is the present phase's last failure,
    `trouble` why a phase was given up without ending the run.
    """

    id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    client_id: str | None = Field(examples=["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"])
    kind: str = Field(examples=["sync"])
    first: str = Field(examples=["19.11.2026"])
    last: str = Field(examples=["19.11.2026"])
    origin: str = Field(examples=["person"])
    state: RunState
    next_try_at: datetime | None
    wanted: int = Field(description="звонков в работе", examples=[34])
    statistics: dict[str, int] = Field(examples=[{"calls": 34, "transcribed": 27}])
    error: str = Field(examples=[""])
    trouble: str = Field(examples=[""])
    started_at: datetime
    finished_at: datetime | None


class RunProgress(BaseModel):
    """The run's calls at this moment; `waiting` and `failed` map a reason to its calls."""

    calls: int = Field(examples=[34])
    settled: int = Field(examples=[20])
    transcribed: int = Field(examples=[21])
    noted: int = Field(examples=[20])
    analysed: int = Field(examples=[20])
    working: int = Field(examples=[14])
    waiting: dict[str, int] = Field(examples=[{"Минуты клиники исчерпаны": 3}])
    failed: dict[str, int] = Field(examples=[{}])


class RunWithProgress(ShownRun):
    """A run and how far it is."""

    progress: RunProgress


class RunList(BaseModel):
    """Runs, newest first."""

    runs: list[ShownRun]
    total: int = Field(description="сколько в этом ответе", examples=[1])


@router.get("", summary="The newest runs")
async def runs(
    app: App,
    who: Who,
    client_id: AnyClinicId = None,
    limit: Annotated[int, Query(ge=1, le=200, description="не больше стольких")] = 20,
) -> RunList:
    """Newest first, of one clinic or of all."""
    newest = await app.run_book.newest(who.clinic(client_id), limit)
    found = [_shown(run) for run in newest]
    return RunList(runs=found, total=len(found))


@router.get("/{run_id}", summary="How far a run is", responses=problems(404))
async def run(run_id: str, app: App, who: Who) -> RunWithProgress:
    """The run with counts of its calls at this moment. 404 for an unknown run."""
    await _check(run_id, app, who)
    return _view(await app.run_book.look(run_id))


@router.post("/{run_id}/cancel", summary="Cancel a run", responses=problems(404, 409))
async def cancel(run_id: str, app: App, who: Who) -> RunWithProgress:
    """Steps under way end, nothing further starts. 404 unknown, 409 when it has ended."""
    await _check(run_id, app, who)
    return _view(await app.run_book.cancel(run_id))


async def _check(run_id: str, app: App, who: Who) -> None:
    """Raises NotFoundError for a run outside the grant, in the words of an unknown one."""
    found = await app.runs.get(run_id)
    if found is not None and not who.grant.allows(found.client_id):
        raise unknown_run()


def _view(view: RunView) -> RunWithProgress:
    progress = RunProgress(
        calls=view.progress.total,
        settled=view.progress.settled,
        transcribed=view.progress.transcribed,
        noted=view.progress.noted,
        analysed=view.progress.analysed,
        working=view.progress.working,
        waiting=dict(view.progress.waiting),
        failed=dict(view.progress.failed),
    )
    return RunWithProgress(**_shown(view.run).model_dump(), progress=progress)


def _shown(run: Run) -> ShownRun:
    return ShownRun.model_validate(run, from_attributes=True)
