"""What reports need from the rest of the product."""

from collections.abc import AsyncIterator
from typing import Protocol

from medai.calls.models import Call
from medai.clinics.models import Clinic
from medai.kit.days import DayRange
from medai.reports.models import ReportContent


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


class Renderer(Protocol):
    """Turns content into files without holding up the event loop."""

    async def pdf(self, content: ReportContent) -> bytes:
        """The PDF. Raises ReportRenderingError."""

    async def excel(self, content: ReportContent) -> bytes:
        """The workbook. Raises ReportRenderingError."""
