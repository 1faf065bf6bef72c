"""Making reports for a clinic or for all of them, and storing the files."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from medai.calls.models import Call
from medai.clinics.models import Clinic
from medai.errors import NotFoundError
from medai.infra.files import Files
from medai.kit.clock import Clock
from medai.kit.days import DayRange, zone
from medai.kit.ids import stable_id
from medai.metrics.details import CallLinks
from medai.reports import format_ru as ru
from medai.reports.content import Comparison, analysed_in, build_content
from medai.reports.models import Chart, ReportClinic, ReportContent
from medai.reports.people.content import people_content, people_of, telling_calls
from medai.reports.people.models import PeopleContent
from medai.reports.places import Places
from medai.reports.ports import AnalysedCalls, Analyses, Clinics, Conclusions, Renderer
from medai.reports.shelf import Shelf

FOLDER = "reports"
_SUMMARY, _PEOPLE = "call_report", "call_admin_report"
_NAME = re.compile(
    rf"(?:{_SUMMARY}|{_PEOPLE})_clinic_(.+?)(?:_of_[0-9a-f]{{24}})?_\d\d_\d\d_\d{{4}}-\d\d_\d\d_\d{{4}}\.\w+"
)

Only = frozenset[str] | None
"""Names as calls carry them (`Call.administrator`)."""


@dataclass(frozen=True, slots=True)
class GeneratedReport:
    """Names of the stored files, relative to the file store ("reports/…")."""

    pdf: str
    excel: str


@dataclass(frozen=True, slots=True)
class _Material:
    """What a report is built from."""

    calls: Sequence[Call]
    days: DayRange
    clinics: Sequence[ReportClinic]
    previous: Comparison
    summary: str


class ReportService:
    """Builds, renders and stores reports. Files of the same clinic and period are replaced when
    their content changed, else kept as they are.

    `only` names the administrators whose calls alone count; None: everybody's.

    Every method raises NotFoundError for an unknown clinic and, unless `even_empty`, for a period
    without analysed calls (contract 1.4: 404); StoreError, and ReportRenderingError.
    """

    def __init__(
        self,
        calls: AnalysedCalls,
        clinics: Clinics,
        files: Files,
        renderer: Renderer,
        links: CallLinks,
        clock: Clock,
        *,
        analyses: Analyses,
        conclusions: Conclusions,
    ) -> None:
        self._calls = calls
        self._clinics = clinics
        self._shelf = Shelf(files)
        self._renderer = renderer
        self._links = links
        self._clock = clock
        self._analyses = analyses
        self._conclusions = conclusions

    async def content(
        self,
        client_id: str | None,
        days: DayRange,
        *,
        even_empty: bool = False,
        only: Only = None,
    ) -> ReportContent:
        """The report's figures, compared with the period of equal length just before."""
        return await self._built(await self._material(client_id, days, even_empty, only))

    async def people(
        self,
        client_id: str | None,
        days: DayRange,
        *,
        even_empty: bool = False,
        only: Only = None,
    ) -> PeopleContent:
        """The same for each administrator, with quotes."""
        material = await self._material(client_id, days, even_empty, only)
        report = await self._built(material)
        places = Places(material.clinics, self._links)
        people = await asyncio.to_thread(
            people_of, report, material.calls, material.previous, places
        )
        analyses = await self._analyses.of_calls(telling_calls(people))
        return people_content(report, people, analyses, places)

    async def generate_pdf(self, client_id: str | None, days: DayRange) -> str:
        """Make and store the PDF; returns its name in the file store."""
        return await self._store_pdf(await self.content(client_id, days), client_id)

    async def generate_excel(self, client_id: str | None, days: DayRange) -> str:
        """Make and store the workbook; returns its name in the file store."""
        return await self._store_excel(await self.content(client_id, days), client_id)

    async def generate(
        self,
        client_id: str | None,
        days: DayRange,
        *,
        even_empty: bool = False,
        only: Only = None,
    ) -> GeneratedReport:
        """Both files from one reading of the calls, so that their figures agree."""
        content = await self.content(client_id, days, even_empty=even_empty, only=only)
        return GeneratedReport(
            pdf=await self._store_pdf(content, client_id, only),
            excel=await self._store_excel(content, client_id, only),
        )

    async def generate_people(
        self,
        client_id: str | None,
        days: DayRange,
        *,
        even_empty: bool = False,
        only: Only = None,
    ) -> str:
        """Make and store the PDF of administrators (contract 8.3); returns its name."""
        content = await self.people(client_id, days, even_empty=even_empty, only=only)
        name = report_name(client_id, days, "pdf", kind=_PEOPLE, only=only)
        await self._shelf.keep(name, content, partial(self._renderer.people, content))
        return name

    async def chart(
        self, client_id: str | None, days: DayRange, chart: Chart, *, only: Only = None
    ) -> bytes:
        """One chart as PNG, for example for Telegram; a polite picture for an empty period."""
        return await self.drawn(
            await self.content(client_id, days, even_empty=True, only=only), chart
        )

    async def drawn(self, content: ReportContent, chart: Chart) -> bytes:
        """The same from figures that were read before."""
        return await self._renderer.chart(content, chart)

    async def _store_pdf(
        self, content: ReportContent, client_id: str | None, only: Only = None
    ) -> str:
        name = report_name(client_id, content.period, "pdf", only=only)
        await self._shelf.keep(name, content, partial(self._renderer.pdf, content))
        return name

    async def _store_excel(
        self, content: ReportContent, client_id: str | None, only: Only = None
    ) -> str:
        name = report_name(client_id, content.period, "xlsx", only=only)
        await self._shelf.keep(name, content, partial(self._renderer.excel, content))
        return name

    async def _material(
        self,
        client_id: str | None,
        days: DayRange,
        even_empty: bool,
        only: Only,
    ) -> _Material:
        clinics = await self._report_clinics(client_id)
        calls = analysed_in(await self._analysed(client_id, days, only), days)
        if not calls and not even_empty:
            raise NotFoundError(
                f"За период {ru.dates(days)} нет звонков с оценкой: "
                "выберите другой период или дождитесь анализа"
            )
        before = previous_period(days)
        return _Material(
            calls,
            days,
            clinics,
            Comparison(await self._analysed(client_id, before, only), before),
            # A conclusion speaks of everybody.
            await self._summary(client_id, days) if only is None else "",
        )

    async def _analysed(self, client_id: str | None, days: DayRange, only: Only) -> list[Call]:
        calls = await self._calls.analysed_calls(client_id, days)
        return [call for call in calls if only is None or call.administrator in only]

    async def _built(self, material: _Material) -> ReportContent:
        # In a thread: adding up tens of thousands of calls must not hold up other requests.
        return await asyncio.to_thread(
            build_content,
            material.calls,
            material.days,
            material.clinics,
            created_at=self._clock(),
            links=self._links,
            previous=material.previous,
            summary=material.summary,
        )

    async def _report_clinics(self, client_id: str | None) -> list[ReportClinic]:
        if client_id is not None:
            return [_report_clinic(await self._clinics.require(client_id))]
        clinics = [_report_clinic(clinic) async for clinic in self._clinics.all()]
        if not clinics:
            raise NotFoundError("Нет ни одной клиники: добавьте клинику и загрузите звонки")
        return clinics

    async def _summary(self, client_id: str | None, days: DayRange) -> str:
        if client_id is None:
            return ""
        return await self._conclusions.overall_summary(client_id, days)


def report_name(
    client_id: str | None,
    days: DayRange,
    extension: str,
    *,
    kind: str = _SUMMARY,
    only: Only = None,
) -> str:
    """reports/{kind}[_clinic_{client_id}]_{DD_MM_YYYY}-{DD_MM_YYYY}.{ext} (contract 2.3).

    The kind is call_report or call_admin_report. A report of some administrators has a digest of
    their names in its own: `_of_{24 digits}` behind the clinic.
    """
    clinic = f"_clinic_{client_id}" if client_id else ""
    if only is not None:
        clinic += f"_of_{stable_id(*sorted(only))}"
    first, last = days.first.strftime("%d_%m_%Y"), days.last.strftime("%d_%m_%Y")
    return f"{FOLDER}/{kind}{clinic}_{first}-{last}.{extension}"


def clinic_of(filename: str) -> str | None:
    """The clinic whose report has this file name; None for a report of all clinics."""
    found = _NAME.fullmatch(filename)
    return found[1] if found else None


def previous_period(days: DayRange) -> DayRange:
    """As many days, ending the day before."""
    length = days.last - days.first + timedelta(days=1)
    return DayRange(days.first - length, days.last - length)


def _report_clinic(clinic: Clinic) -> ReportClinic:
    return ReportClinic(clinic.client_id, clinic.name, zone(clinic.timezone))
