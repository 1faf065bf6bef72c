"""Comparing a clinic's amoCRM with what is stored, as a durable run (contract 1.5)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Visitor, Who
from medai.api.errors import problems
from medai.api.routers.parameters import ClinicId
from medai.bootstrap import Application
from medai.errors import NotFoundError
from medai.kit.days import parse_range
from medai.processing.runs import Run, RunKind

router = APIRouter(prefix="/admin/check-amocrm-calls", tags=["amocrm"])

TaskId = Annotated[str, Path(max_length=60, description="task_id из ответа на запуск")]
_ID = "5f2b9c0d1e3a4b5c6d7e8f90"
_URL = f"/api/admin/check-amocrm-calls/{_ID}/download"
_STATES: dict[str, Literal["running", "completed", "failed"]] = {
    "running": "running",
    "completed": "completed",
    "partial": "completed",
}


class CheckedPeriod(BaseModel):
    """The days of a comparison, ISO."""

    start_date: str = Field(examples=["2026-11-19"])
    end_date: str = Field(examples=["2026-11-19"])


class CheckStarted(BaseModel):
    """Answer of a start."""

    success: Literal[True] = True
    message: str = Field(examples=["Сверка с amoCRM запущена"])
    task_id: str = Field(examples=[_ID])
    client_id: str
    period: CheckedPeriod
    download_url: str = Field(examples=[_URL])


class CheckState(BaseModel):
    """How far a comparison is. It goes on after a restart of the server."""

    success: bool
    task_id: str = Field(examples=[_ID])
    status: Literal["running", "completed", "failed"]
    message: str
    completed_at: datetime | None
    result_available: bool
    download_url: str | None = Field(examples=[_URL])


class LeadsOnDay(BaseModel):
    """Leads created on one day."""

    date: str = Field(examples=["19.11.2026"])
    total: int


class CheckNumbers(BaseModel):
    """What the CRM has for the days. `missing_calls` are not stored; some of them are named."""

    total_leads: int
    calls_from_leads: int
    calls_from_contacts: int
    calls_from_companies: int
    total_calls: int
    zero_duration_calls: int
    duplicates_found: int
    unique_calls: int
    stored_calls: int
    missing_calls: int
    missing_note_ids: list[int]
    leads_by_date: list[LeadsOnDay]
    formatted_report: str


class CheckResult(BaseModel):
    """The file of a comparison that has ended: `statistics`, or `error` when it failed."""

    success: bool
    task_id: str = Field(examples=[_ID])
    statistics: CheckNumbers | None = None
    error: str | None = None


@router.post(
    "", summary="Start comparing the CRM with what is stored", responses=problems(400, 404)
)
async def start(
    client_id: ClinicId,
    start_date_str: Annotated[str, Query(max_length=40, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")],
    end_date_str: Annotated[str, Query(max_length=40, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")],
    app: App,
    who: Who,
) -> CheckStarted:
    """Answers at once; nothing is changed by a comparison. 92 days at most."""
    who.require(client_id)
    await app.clinics.require(client_id)
    days = parse_range(start_date_str, end_date_str)
    run_id = await app.asked.check(client_id, start_date_str, end_date_str)
    return CheckStarted(
        message="Сверка с amoCRM запущена",
        task_id=run_id,
        client_id=client_id,
        period=CheckedPeriod(start_date=days.first.isoformat(), end_date=days.last.isoformat()),
        download_url=_url(run_id),
    )


@router.get("/{task_id}/status", summary="How far a comparison is", responses=problems(404))
async def status(task_id: TaskId, app: App, who: Who) -> CheckState:
    """running, completed or failed."""
    run = await _run(task_id, app, who)
    state = _STATES.get(run.state, "failed")
    return CheckState(
        success=True,
        task_id=run.id,
        status=state,
        message=_message(run),
        completed_at=run.finished_at,
        result_available=state != "running",
        download_url=_url(run.id) if state != "running" else None,
    )


@router.get(
    "/{task_id}/download",
    summary="The result of a comparison",
    responses={200: {"model": CheckResult}, **problems(404)},
)
async def download(task_id: TaskId, app: App, who: Who) -> JSONResponse:
    """A JSON file. 404 until the comparison has ended, and when retention has deleted it."""
    run = await _run(task_id, app, who)
    return JSONResponse(
        await _result(run, app),
        headers={"Content-Disposition": f'attachment; filename="amocrm_check_{run.id}.json"'},
    )


async def _run(task_id: str, app: Application, who: Visitor) -> Run:
    run = await app.runs.get(task_id)
    if run is None or run.kind != RunKind.CHECK or not who.grant.allows(run.client_id):
        raise NotFoundError("Сверка не найдена: проверьте task_id или запустите её снова")
    return run


async def _result(run: Run, app: Application) -> dict[str, Any]:
    if run.state == "running":
        raise NotFoundError("Сверка ещё идёт: повторите запрос позже")
    if run.state in _STATES:
        return await app.crm_checks.result(run.id)
    return {"success": False, "task_id": run.id, "error": _message(run)}


def _message(run: Run) -> str:
    if run.state == "running":
        waits = f" (последняя неудача: {run.error})" if run.error else ""
        return f"Сверка выполняется{waits}"
    if run.state in _STATES:
        return "Сверка завершена"
    return f"Ошибка: {run.error or 'сверка отменена'}"


def _url(run_id: str) -> str:
    return f"/api/admin/check-amocrm-calls/{run_id}/download"
