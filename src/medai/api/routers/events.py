"""Synchronising calls from the CRM through its events (contract 1.1)."""

from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Query

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers import events_answers as answers
from medai.api.routers.events_answers import (
    ExportDay,
    ExportEmpty,
    ExportForgotten,
    ExportOrder,
    ExportRefused,
    ExportResults,
    ExportStarted,
)
from medai.api.routers.parameters import ClinicId
from medai.errors import InvalidInputError, NotFoundError

router = APIRouter(prefix="/calls-events", tags=["calls-events"])

RawDate = Annotated[str, Query(max_length=32, description="дата буква в букву как в export")]


@router.post(
    "/export", summary="Start pulling calls of the days from the CRM", responses=problems(404)
)
async def start_export(
    order: ExportOrder, app: App, who: Who
) -> ExportStarted | ExportEmpty | ExportRefused:
    """Queue the sync and answer at once; results come from export-results.

    What stands in the way of starting is told with status 200 and `success: false`, as old clients
    expect; only an unknown clinic is 404.
    """
    started = monotonic()
    who.require(order.client_id)
    try:
        begun = await app.events_export.begin(order.client_id, order.start_date, order.end_date)
    except InvalidInputError as error:
        return ExportRefused(message=error.message)
    return answers.begun(begun, order, monotonic() - started)


@router.get("/export-results", summary="Statistics of an ended sync", responses=problems(404))
async def read_results(
    client_id: ClinicId,
    start_date: RawDate,
    end_date: RawDate,
    app: App,
    who: Who,
    run_id: Annotated[str | None, Query(max_length=64, description="из ответа export")] = None,
) -> ExportResults:
    """Statistics of the newest run for exactly these raw dates; 404 until it has ended.

    An earlier run for the same dates never answers for a later one.
    """
    who.require(client_id)
    run = await app.events_export.ended(client_id, start_date, end_date, run_id)
    if run is None:
        raise NotFoundError("Статистика ещё не готова: повторите запрос позже")
    return answers.results(run)


@router.get("/export-status", summary="What is stored of a day", responses=problems(400, 404))
async def read_status(
    client_id: ClinicId,
    date: Annotated[str, Query(max_length=32, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")],
    app: App,
    who: Who,
) -> ExportDay:
    """Counts of stored calls and up to five of the latest."""
    who.require(client_id)
    return answers.stored_day(await app.events_export.day(client_id, date), date)


@router.delete("/export-results", summary="Forget statistics of syncs", responses=problems(404))
async def forget_results(client_id: ClinicId, app: App, who: Who) -> ExportForgotten:
    """Delete the statistics of the clinic's ended exports.

    The old system deleted every call of the clinic here; this one never deletes calls.
    """
    who.require(client_id)
    deleted = await app.events_export.forget(client_id)
    return ExportForgotten(
        message=f"Удалено результатов экспорта: {deleted}; звонки не тронуты",
        deleted_count=deleted,
        count_before=deleted,
    )
