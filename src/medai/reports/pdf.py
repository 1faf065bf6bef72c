"""Reports and charts prepared for drawing, and drawn where nobody is kept waiting."""

import json
from datetime import UTC
from typing import Any

from medai.reports.drawing import Printout, drawn
from medai.reports.models import Chart, ReportContent
from medai.reports.pages.document import document
from medai.reports.pages.parts import Part
from medai.reports.pages.people import people_document
from medai.reports.people.models import PeopleContent

_PNG_DENSITY = 200
"""Pixels per inch: a chart 148 mm wide is 1,165 pixels, what Telegram shows sharp on a phone."""


def report_printout(content: ReportContent) -> Printout:
    """The report as PDF, prepared: takes 60 ms per thousand printed calls."""
    return Printout("report.typ", _json(document(content)), _pdf_options(content))


def people_printout(content: PeopleContent) -> Printout:
    """The report of administrators as PDF, prepared."""
    return Printout("people.typ", _json(people_document(content)), _pdf_options(content.report))


def chart_printout(content: ReportContent, chart: Chart) -> Printout:
    """One chart of the report as PNG, drawn by the same functions as in the PDF, prepared."""
    data = {**document(content), "chart": chart.value}
    return Printout("chart.typ", _json(data), {"format": "png", "ppi": _PNG_DENSITY})


def render_pdf(content: ReportContent) -> bytes:
    """The report as PDF bytes, equal for equal content. Raises ReportRenderingError."""
    return drawn(report_printout(content))


def render_people(content: PeopleContent) -> bytes:
    """The report of administrators as PDF bytes, likewise."""
    return drawn(people_printout(content))


def render_chart(content: ReportContent, chart: Chart) -> bytes:
    """One chart as PNG bytes, likewise."""
    return drawn(chart_printout(content, chart))


def _json(data: Part) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _pdf_options(content: ReportContent) -> dict[str, Any]:
    return {
        # Typst wants a fixed offset and whole seconds.
        "timestamp": content.created_at.astimezone(UTC).replace(microsecond=0),
        "pdf_tags": False,  # tags make it five times larger (reports-and-ui.md 1)
    }
