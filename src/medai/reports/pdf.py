"""Reports and charts laid out by Typst, with nothing but our own wheel's fonts."""

import json
from datetime import UTC
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import fontpkg
import typst

from medai.reports.errors import ReportRenderingError
from medai.reports.models import Chart, ReportContent
from medai.reports.pages.document import document
from medai.reports.pages.parts import Part
from medai.reports.pages.people import people_document
from medai.reports.people.models import PeopleContent

_SHARED = ("theme.typ", "charts.typ", "parts.typ")
_PNG_DENSITY = 200
"""Pixels per inch: a chart 148 mm wide is 1,165 pixels, what Telegram shows sharp on a phone."""


def render_pdf(content: ReportContent) -> bytes:
    """The report as PDF bytes, equal for equal content.

    Takes about a second per thousand calls and up to 600 MB: run it in another process
    (`medai.reports.renderer`). Data reaches the template as JSON and is never evaluated.
    Raises ReportRenderingError.
    """
    return _compiled("report.typ", document(content), _pdf_options(content))


def render_people(content: PeopleContent) -> bytes:
    """The report of administrators as PDF bytes, equal for equal content.

    Raises ReportRenderingError.
    """
    return _compiled("people.typ", people_document(content), _pdf_options(content.report))


def render_chart(content: ReportContent, chart: Chart) -> bytes:
    """One chart of the report as PNG bytes, drawn by the same functions as in the PDF.

    Raises ReportRenderingError.
    """
    options = {"format": "png", "ppi": _PNG_DENSITY}
    return _compiled("chart.typ", {**document(content), "chart": chart.value}, options)


def _pdf_options(content: ReportContent) -> dict[str, Any]:
    return {
        # Typst wants a fixed offset and whole seconds.
        "timestamp": content.created_at.astimezone(UTC).replace(microsecond=0),
        "pdf_tags": False,  # tags make it five times larger (reports-and-ui.md 1)
    }


def _compiled(template: str, data: Part, options: dict[str, Any]) -> bytes:
    sources: Any = {  # the stub misses the dict of files
        "main.typ": _template(template),
        **{name: _template(name) for name in _SHARED},
        "data.json": json.dumps(data, ensure_ascii=False).encode(),
    }
    try:
        made: bytes = typst.compile(
            sources, font_paths=[str(_font_folder())], ignore_system_fonts=True, **options
        )
    except typst.TypstError as error:
        raise ReportRenderingError(
            "Отчёт не построен: содержимое не удалось разместить; сообщите разработчикам"
        ) from error
    return made


@cache
def _template(name: str) -> bytes:
    return (files("medai.reports") / "templates" / name).read_bytes()


def _font_folder() -> Path:
    return Path(fontpkg.path("Inter")).parent
