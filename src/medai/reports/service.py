"""Making reports for a clinic or for all of them, and storing the files."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

from medai.clinics.models import Clinic
from medai.errors import NotFoundError
from medai.infra.files import Files
from medai.kit.clock import Clock
from medai.kit.days import DayRange, zone
from medai.metrics.details import CallLinks
from medai.reports import format_ru as ru
from medai.reports.content import Comparison, analysed_in, build_content
from medai.reports.models import ReportClinic, ReportContent
from medai.reports.ports import AnalysedCalls, Clinics, Conclusions, Renderer

FOLDER = "reports"


@dataclass(frozen=True, slots=True)
class GeneratedReport:
    """Names of the stored files, relative to the file store ("reports/…")."""

    pdf: str
    excel: str


class ReportService:
    """Builds, renders and stores reports. Files of the same clinic and period are replaced.

    Every method raises NotFoundError for an unknown clinic and for a period without analysed
    calls (contract 1.4: 404), StoreError, and ReportRenderingError.
    """

    def __init__(
        self,
        calls: AnalysedCalls,
        clinics: Clinics,
        files: Files,
        renderer: Renderer,
        links: CallLinks,
        clock: Clock,
        conclusions: Conclusions | None = None,
    ) -> None:
        self._calls = calls
        self._clinics = clinics
        self._files = files
        self._renderer = renderer
        self._links = links
        self._clock = clock
        self._conclusions = conclusions

    async def content(self, client_id: str | None, days: DayRange) -> ReportContent:
        """The report's figures, compared with the period of equal length just before."""
        clinics = await self._report_clinics(client_id)
        calls = analysed_in(await self._calls.analysed_calls(client_id, days), days)
        if not calls:
            raise NotFoundError(
                f"За период {ru.dates(days)} нет звонков с оценкой: "
                "выберите другой период или дождитесь анализа"
            )
        before = previous_period(days)
        # In a thread: adding up tens of thousands of calls must not hold up other requests.
        return await asyncio.to_thread(
            build_content,
            calls,
            days,
            clinics,
            created_at=self._clock(),
            links=self._links,
            previous=Comparison(await self._calls.analysed_calls(client_id, before), before),
            summary=await self._summary(client_id, days),
        )

    async def generate_pdf(self, client_id: str | None, days: DayRange) -> str:
        """Make and store the PDF; returns its name in the file store."""
        content = await self.content(client_id, days)
        return await self._store_pdf(content, client_id, days)

    async def generate_excel(self, client_id: str | None, days: DayRange) -> str:
        """Make and store the workbook; returns its name in the file store."""
        content = await self.content(client_id, days)
        return await self._store_excel(content, client_id, days)

    async def generate(self, client_id: str | None, days: DayRange) -> GeneratedReport:
        """Both files from one reading of the calls, so that their figures agree."""
        content = await self.content(client_id, days)
        return GeneratedReport(
            pdf=await self._store_pdf(content, client_id, days),
            excel=await self._store_excel(content, client_id, days),
        )

    async def _store_pdf(
        self, content: ReportContent, client_id: str | None, days: DayRange
    ) -> str:
        name = report_name(client_id, days, "pdf")
        await self._files.write(name, await self._renderer.pdf(content))
        return name

    async def _store_excel(
        self, content: ReportContent, client_id: str | None, days: DayRange
    ) -> str:
        name = report_name(client_id, days, "xlsx")
        await self._files.write(name, await self._renderer.excel(content))
        return name

    async def _report_clinics(self, client_id: str | None) -> list[ReportClinic]:
        if client_id is not None:
            return [_report_clinic(await self._clinics.require(client_id))]
        clinics = [_report_clinic(clinic) async for clinic in self._clinics.all()]
        if not clinics:
            raise NotFoundError("Нет ни одной клиники: добавьте клинику и загрузите звонки")
        return clinics

    async def _summary(self, client_id: str | None, days: DayRange) -> str:
        if self._conclusions is None or client_id is None:
            return ""
        return await self._conclusions.overall_summary(client_id, days)


def report_name(client_id: str | None, days: DayRange, extension: str) -> str:
    """reports/call_report[_clinic_{client_id}]_{DD_MM_YYYY}-{DD_MM_YYYY}.{ext} (contract 2.3)."""
    clinic = f"_clinic_{client_id}" if client_id else ""
    first, last = days.first.strftime("%d_%m_%Y"), days.last.strftime("%d_%m_%Y")
    return f"{FOLDER}/call_report{clinic}_{first}-{last}.{extension}"


def clinic_of(filename: str) -> str | None:
    """The clinic whose report has this file name; None for a report of all clinics."""
    found = re.fullmatch(r"call_report_clinic_(.+)_\d\d_\d\d_\d{4}-\d\d_\d\d_\d{4}\.\w+", filename)
    return found[1] if found else None


def previous_period(days: DayRange) -> DayRange:
    """As many days, ending the day before."""
    length = days.last - days.first + timedelta(days=1)
    return DayRange(days.first - length, days.last - length)


def _report_clinic(clinic: Clinic) -> ReportClinic:
    return ReportClinic(clinic.client_id, clinic.name, zone(clinic.timezone))
