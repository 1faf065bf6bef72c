"""Typst's part of a report: prepared data in, PDF or PNG out, with our own wheels' fonts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import fontpkg
import typst

from medai.reports.errors import ReportRenderingError

_SHARED = ("theme.typ", "charts.typ", "parts.typ")


@dataclass(frozen=True, slots=True)
class Printout:
    """A template's name, the JSON it prints and Typst's options: all that drawing needs."""

    template: str
    data: bytes
    options: Mapping[str, Any]


def drawn(printout: Printout) -> bytes:
    """The file's bytes, equal for equal printouts.

    Takes about a second per thousand calls and up to 400 MB: run it in another process
    (`medai.reports.renderer`). The data is never evaluated. Raises ReportRenderingError.
    """
    sources: Any = {  # the stub misses the dict of files
        "main.typ": _template(printout.template),
        **{name: _template(name) for name in _SHARED},
        "data.json": printout.data,
    }
    try:
        made: bytes = typst.compile(
            sources, font_paths=[str(_font_folder())], ignore_system_fonts=True, **printout.options
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
