"""Pictures of the READMEs, drawn by Typst with the fonts and colours of the reports."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import fontpkg
import typst

from medai.reports.drawing import drawn
from medai.reports.models import ReportContent
from medai.reports.pdf import report_printout

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures"
_HERE = Path(__file__).parent
_DENSITY, _PAGE_DENSITY = 110, 90
"""Pixels per inch: sharp at the width of a README, small as a file."""
_SECTION = re.compile(r"^## Patients who are about to be lost\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_MESSAGE = re.compile(
    r"^\*\*(?P<who>[^*]+)\*\*, (?P<at>[^\n]+)\n\n```text\n(?P<body>.*?)^```$"
    r"|^→ (?P<person>[^\n]+?) — \[(?P<tap>[^\]\n]+)\](?:: «(?P<told>[^\n]+)»)?$",
    re.MULTILINE | re.DOTALL,
)
_BUTTON = re.compile(r"\[([^\]]+)\]")


def report_page(content: ReportContent) -> bytes:
    """The first page of the PDF report, drawn by the product's own template."""
    options = {"format": "png", "ppi": _PAGE_DENSITY}
    pages: Any = drawn(replace(report_printout(content), options=options))
    return bytes(pages[0] if isinstance(pages, list) else pages)


def terminal(words: str) -> bytes:
    """What `make demo` printed, in a window; paths as they are in a checkout, ids cut."""
    plain = re.sub(r"/\S+/demo/", "var/demo/", words)
    lines = re.sub(r"([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"\1…", plain).splitlines()
    return _drawn("terminal.typ", {"command": "make demo", "lines": lines})


def dialogue() -> bytes:
    """A lost patient as docs/bot.md tells it: the alert, who took it, how it ended."""
    (section,) = _SECTION.findall((DOCS / "bot.md").read_text(encoding="utf-8"))
    return _drawn("dialogue.typ", {"steps": list(_steps(section))})


def _steps(section: str) -> Iterator[dict[str, Any]]:
    for found in _MESSAGE.finditer(section):
        if found["tap"]:
            yield {"kind": "tap", "who": found["person"], "text": found["tap"],
                   "told": found["told"] or ""}  # fmt: skip
            continue
        text = [line for line in found["body"].splitlines() if not _BUTTON.match(line)]
        rows = [_BUTTON.findall(line) for line in found["body"].splitlines() if _BUTTON.match(line)]
        yield {"kind": "message", "who": found["who"], "at": found["at"],
               "lines": "\n".join(text).strip().splitlines(), "buttons": rows}  # fmt: skip


def _drawn(template: str, data: dict[str, Any]) -> bytes:
    sources: Any = {
        "main.typ": (_HERE / template).read_bytes(),
        "theme.typ": (files("medai.reports") / "templates" / "theme.typ").read_bytes(),
        "data.json": json.dumps(data, ensure_ascii=False).encode(),
    }
    fonts = [str(Path(fontpkg.path("Inter")).parent)]
    picture: Any = typst.compile(
        sources, font_paths=fonts, ignore_system_fonts=True, format="png", ppi=_DENSITY
    )
    return bytes(picture)
