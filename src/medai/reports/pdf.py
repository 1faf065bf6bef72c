"""The PDF report: the content laid out by Typst, with nothing but our own wheel's fonts."""

import json
from datetime import UTC
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import fontpkg
import typst

from medai.reports.errors import ReportRenderingError
from medai.reports.models import ReportContent
from medai.reports.pages.document import document

_TEMPLATES = ("report.typ", "theme.typ", "charts.typ", "parts.typ")


def render_pdf(content: ReportContent) -> bytes:
    """The report as PDF bytes, equal for equal content.

    Takes about a second per thousand calls and up to 600 MB: run it in another process
    (`medai.reports.renderer`). Data reaches the template as JSON and is never evaluated.
    Raises ReportRenderingError.
    """
    data = json.dumps(document(content), ensure_ascii=False).encode()
    sources: Any = {**_templates(), "data.json": data}  # the stub misses the dict of files
    try:
        return typst.compile(
            sources,
            font_paths=[str(_font_folder())],
            ignore_system_fonts=True,
            # Typst wants a fixed offset and whole seconds.
            timestamp=content.created_at.astimezone(UTC).replace(microsecond=0),
            pdf_tags=False,  # tags make it five times larger (reports-and-ui.md 1)
        )
    except typst.TypstError as error:
        raise ReportRenderingError(
            "PDF не построен: содержимое не удалось разместить; сообщите разработчикам"
        ) from error


@cache
def _templates() -> dict[str, bytes]:
    folder = files("medai.reports") / "templates"
    sources = {name: (folder / name).read_bytes() for name in _TEMPLATES}
    return {"main.typ": sources.pop("report.typ"), **sources}


def _font_folder() -> Path:
    return Path(fontpkg.path("Inter")).parent
