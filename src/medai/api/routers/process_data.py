"""The whole way of a clinic's days as one run (contract 1.5, process-data)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.parameters import ClinicPath

router = APIRouter(tags=["processing"])

Date = Annotated[str, Query(max_length=32, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")]


class ProcessingStarted(BaseModel):
    """The run that does it all: calls from the CRM, transcripts, analyses, conclusions, metrics."""

    success: Literal[True] = True
    message: str = Field(examples=["Обработка запущена: её ход показывает GET /api/runs/{run_id}"])
    run_id: str = Field(examples=["65f1c0ffee65f1c0ffee65f1"])
    client_id: str
    start_date: str = Field(examples=["19.11.2026"])
    end_date: str = Field(examples=["19.11.2026"])


@router.post(
    "/admin/clinics/{client_id}/process-data",
    summary="Start the whole way of the days",
    responses=problems(400, 404),
)
async def process_data(
    client_id: ClinicPath,
    start_date_str: Date,
    end_date_str: Date,
    app: App,
    who: Who,
) -> ProcessingStarted:
    """Queue one run and answer at once; GET /api/runs/{run_id} tells how far it is.

    Also served without `/api`, as its old clients call it. The old system did this inside the
    request and never got to its end.
    """
    who.require(client_id)
    clinic = await app.clinics.require(client_id)
    run_id = await app.asked.process(clinic.client_id, start_date_str, end_date_str)
    return ProcessingStarted(
        message=f"Обработка запущена: её ход показывает GET /api/runs/{run_id}",
        run_id=run_id,
        client_id=clinic.client_id,
        start_date=start_date_str,
        end_date=end_date_str,
    )
