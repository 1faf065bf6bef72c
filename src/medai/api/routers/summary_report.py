"""The report of administrators of the last days (contract 1.2 and 8.3: calls/report)."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from medai.api.dependencies import App, Who
from medai.api.errors import problems
from medai.api.routers.parameters import AnyClinicId
from medai.kit.days import MAX_RANGE_DAYS, DayRange, business_day

router = APIRouter(tags=["reports"])


class ReportMade(BaseModel):
    report_path: str = Field(
        examples=["reports/call_admin_report_20_10_2026-19_11_2026.pdf"],
        description="GET /api/call/reports/{last segment}/download gives the file",
    )
    days_ago: int = Field(examples=[30])


class SummaryReport(BaseModel):
    """calls/report."""

    success: Literal[True]
    message: str = Field(examples=["Отчёт готов"])
    data: ReportMade


@router.get("/calls/report", summary="Make the PDF of administrators", responses=problems(400, 404))
async def make_summary_report(
    app: App,
    who: Who,
    client_id: AnyClinicId = None,
    days_ago: Annotated[
        int, Query(ge=1, lt=MAX_RANGE_DAYS, description="so many days before today, and today")
    ] = 30,
    _filename: Annotated[
        str | None,
        Query(
            alias="filename",
            max_length=200,
            description="accepted and not used: the name tells the clinic and the days",
        ),
    ] = None,
) -> SummaryReport:
    """Of one clinic, or of all together as before. 404 without analysed calls."""
    client_id = who.clinic(client_id)
    today = business_day(app.clock(), await app.transcript_files.zone(client_id))
    days = DayRange(today - timedelta(days=days_ago), today)
    path = await app.reports.generate_people(client_id, days)
    made = ReportMade(report_path=path, days_ago=days_ago)
    return SummaryReport(success=True, message="Отчёт готов", data=made)
