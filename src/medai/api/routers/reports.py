"""Reports: made on demand, downloaded by name (contract 1.4)."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from medai.api.dependencies import App
from medai.errors import NotFoundError
from medai.kit.days import DayRange, parse_range
from medai.reports.service import FOLDER

router = APIRouter(tags=["reports"])

_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ReportOrder(BaseModel):
    """Body of generate_call_report; `clinic_id` is the clinic's client_id."""

    start_date: str
    end_date: str
    clinic_id: str | None = None


@router.post("/reports/generate_call_report", summary="Make the PDF report")
@router.post("/call-reports/generate", summary="Make the PDF report")
async def generate_pdf(order: ReportOrder, app: App) -> dict[str, Any]:
    """404 when the period has no analysed calls."""
    days = parse_range(order.start_date, order.end_date)
    name = await app.reports.generate_pdf(order.clinic_id or None, days)
    return {"status": "success", "message": "Отчёт готов", "filename": name}


@router.get("/reports/generate-excel", summary="Make the Excel report")
async def generate_excel(
    app: App, start_date: str, end_date: str, clinic_id: str | None = None
) -> dict[str, Any]:
    """404 when the period has no analysed calls."""
    days: DayRange = parse_range(start_date, end_date)
    name = await app.reports.generate_excel(clinic_id or None, days)
    return {"status": "success", "filename": name.rpartition("/")[2]}


@router.get("/call/reports/{filename}/download", summary="Download a report")
async def download(filename: str, app: App) -> StreamingResponse:
    """PDF or Excel by extension; 404 for anything else."""
    extension = filename.rpartition(".")[2]
    name = f"{FOLDER}/{filename}"
    if extension not in _MEDIA_TYPES or not await app.files.exists(name):
        raise NotFoundError("Отчёт не найден: сформируйте его заново")
    return StreamingResponse(
        app.files.stream(name),
        media_type=_MEDIA_TYPES[extension],
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
