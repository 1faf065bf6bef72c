"""What reports need from the rest of the product."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from medai.analysis.models import CallAnalysis
from medai.calls.models import Call
from medai.clinics.models import Clinic
from medai.kit.days import DayRange
from medai.reports.models import Chart, ReportContent
from medai.reports.people.models import PeopleContent


class AnalysedCalls(Protocol):
    """The calls of a period that have an analysis."""

    async def analysed_calls(self, client_id: str | None, days: DayRange) -> list[Call]:
        """Analysed calls of one clinic, or of all for None, in any order.

        Days are the calls' own business days. Raises StoreError.
        """


class Clinics(Protocol):
    """Clinics by key; `medai.clinics.repository.ClinicRepository` fits as it is."""

    async def require(self, client_id: str) -> Clinic:
        """The clinic. Raises NotFoundError."""

    def all(self) -> AsyncIterator[Clinic]:
        """Every clinic by name."""


class Conclusions(Protocol):
    """The stored conclusions of a period (contract 2.2 recommendation_analysis_results)."""

    async def overall_summary(self, client_id: str, days: DayRange) -> str:
        """Markdown, empty when there is none."""


class Analyses(Protocol):
    """Full analyses with their quotes; `medai.analysis.repository.AnalysisRepository` fits."""

    async def of_calls(self, call_ids: Sequence[str]) -> dict[str, CallAnalysis]:
        """Those that exist, by call id. Raises StoreError."""


class Renderer(Protocol):
    """Turns content into files without holding up the event loop."""

    async def pdf(self, content: ReportContent) -> bytes:
        """The PDF. Raises ReportRenderingError."""

    async def excel(self, content: ReportContent) -> bytes:
        """The workbook. Raises ReportRenderingError."""

    async def people(self, content: PeopleContent) -> bytes:
        """The PDF of administrators. Raises ReportRenderingError."""

    async def chart(self, content: ReportContent, chart: Chart) -> bytes:
        """One chart as PNG. Raises ReportRenderingError."""
