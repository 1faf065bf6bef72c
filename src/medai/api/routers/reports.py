"""Reports: made on demand, downloaded by name (contract 1.4)."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from medai.access.audit import Opened
from medai.api.dependencies import App, SignedLink, Who
from medai.errors import NotFoundError
from medai.kit.days import DayRange, parse_range
from medai.reports.service import FOLDER, clinic_of

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
async def generate_pdf(order: ReportOrder, app: App, who: Who) -> dict[str, Any]:
    """404 when the period has no analysed calls."""
    days = parse_range(order.start_date, order.end_date)
    name = await app.reports.generate_pdf(who.clinic(order.clinic_id), days)
    return {"status": "success", "message": "Отчёт готов", "filename": name}


@router.get("/reports/generate-excel", summary="Make the Excel report")
async def generate_excel(
    app: App, who: Who, start_date: str, end_date: str, clinic_id: str | None = None
) -> dict[str, Any]:
    """404 when the period has no analysed calls."""
    days: DayRange = parse_range(start_date, end_date)
    name = await app.reports.generate_excel(who.clinic(clinic_id), days)
    return {"status": "success", "filename": name.rpartition("/")[2]}


@router.get(
    "/call/reports/{filename}/download", summary="Download a report", dependencies=[SignedLink]
)
async def download(filename: str, app: App, who: Who) -> StreamingResponse:
    """PDF or Excel by extension; 404 for anything else."""
    extension = filename.rpartition(".")[2]
    name = f"{FOLDER}/{filename}"
    client_id, is_allowed = clinic_of(filename), who.grant.allows(clinic_of(filename))
    if extension not in _MEDIA_TYPES or not (is_allowed and await app.files.exists(name)):
        raise NotFoundError("Отчёт не найден: сформируйте его заново")
    await who.opens(Opened.REPORT, filename, client_id)
    return StreamingResponse(
        app.files.stream(name),
        media_type=_MEDIA_TYPES[extension],
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
