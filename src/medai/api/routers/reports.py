"""Reports: made on demand, downloaded by name (contract 1.4)."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from medai.access.audit import Opened
from medai.api.dependencies import App, SignedLink, Who
from medai.api.errors import problems
from medai.api.routers.parameters import FileName
from medai.errors import NotFoundError
from medai.kit.days import parse_range
from medai.reports.service import FOLDER, clinic_of

router = APIRouter(tags=["reports"])

_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,115}\.(pdf|xlsx)")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "content": dict.fromkeys(_MEDIA_TYPES.values(), _BINARY),
    "description": "The file",
}

Day = Annotated[str, Field(max_length=20, description="ДД.ММ.ГГГГ (ГГГГ-ММ-ДД принимается тоже)")]
Clinic = Annotated[
    str | None, Field(max_length=100, description="client_id клиники; без него — отчёт по всем")
]


class ReportOrder(BaseModel):
    """Body of generate_call_report. Other fields (`administrator_ids`) are ignored, as before."""

    start_date: Day = Field(examples=["17.11.2026"])
    end_date: Day = Field(examples=["23.11.2026"])
    clinic_id: Clinic = Field(None, examples=["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"])


class ExcelReport(BaseModel):
    """A made workbook."""

    status: Literal["success"] = "success"
    filename: str = Field(examples=["call_report_17_11_2026-23_11_2026.xlsx"])
    download_url: str = Field(description="подписанная ссылка: открывается без ключа 30 дней")


class PdfReport(ExcelReport):
    """A made PDF."""

    message: str = Field(examples=["Отчёт готов"])
    filename: str = Field(
        examples=["reports/call_report_17_11_2026-23_11_2026.pdf"],
        description="путь, как в старой системе; для скачивания нужна последняя часть",
    )


@router.post(
    "/call-reports/generate",
    summary="Make the PDF report (second name)",
    responses=problems(400, 404),
)
@router.post(
    "/reports/generate_call_report",
    summary="Make the PDF report",
    responses=problems(400, 404),
)
async def generate_pdf(order: ReportOrder, app: App, who: Who) -> PdfReport:
    """404 when the period has no analysed calls. Rendered in a process of its own."""
    days = parse_range(order.start_date, order.end_date)
    name = await app.reports.generate_pdf(who.clinic(order.clinic_id), days)
    return _pdf(name, app)


@router.post(
    "/admin-reports/generate",
    summary="Make the PDF of administrators (second name)",
    responses=problems(400, 404),
)
async def generate_people(order: ReportOrder, app: App, who: Who) -> PdfReport:
    """Strong and weak sides of each administrator with quotes. 404 without analysed calls."""
    days = parse_range(order.start_date, order.end_date)
    name = await app.reports.generate_people(who.clinic(order.clinic_id), days)
    return _pdf(name, app)


@router.get(
    "/reports/generate-excel", summary="Make the Excel report", responses=problems(400, 404)
)
async def generate_excel(
    app: App,
    who: Who,
    start_date: Annotated[Day, Query(examples=["17.11.2026"])],
    end_date: Annotated[Day, Query(examples=["23.11.2026"])],
    clinic_id: Annotated[Clinic, Query()] = None,
) -> ExcelReport:
    """404 when the period has no analysed calls."""
    days = parse_range(start_date, end_date)
    name = await app.reports.generate_excel(who.clinic(clinic_id), days)
    base = name.rpartition("/")[2]
    return ExcelReport(filename=base, download_url=app.links.report_url(base, app.clock()))


@router.get(
    "/reports/download_call_report/{filename}",
    summary="Download a report (the old second address)",
    response_class=StreamingResponse,
    responses={200: _FILE, **problems(404)},
)
@router.get(
    "/call/reports/{filename}/download",
    summary="Download a report",
    dependencies=[SignedLink],
    response_class=StreamingResponse,
    responses={200: _FILE, **problems(404)},
)
async def download(filename: FileName, app: App, who: Who) -> StreamingResponse:
    """PDF or Excel by extension; 404 for anything else and for reports of other clinics."""
    known, client_id = _NAME.fullmatch(filename), clinic_of(filename)
    name = f"{FOLDER}/{filename}"
    if not (known and who.grant.allows(client_id) and await app.files.exists(name)):
        raise NotFoundError("Отчёт не найден: сформируйте его заново")
    await who.opens(Opened.REPORT, filename, client_id)
    return StreamingResponse(
        app.files.stream(name),
        media_type=_MEDIA_TYPES[known[1]],
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Content-Length": str(await app.files.size(name)),
        },
    )


def _pdf(name: str, app: App) -> PdfReport:
    url = app.links.report_url(name.rpartition("/")[2], app.clock())
    return PdfReport(message="Отчёт готов", filename=name, download_url=url)
