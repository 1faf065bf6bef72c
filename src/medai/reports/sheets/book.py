"""A workbook with our cell formats, written strictly row by row (xlsxwriter constant_memory)."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import xlsxwriter

from medai.kit.text import clean, shortened

MAX_CELL_TEXT = 32_767
"""Excel's limit; xlsxwriter would drop a longer text without a word."""
MAX_LINKS = 65_530
"""Excel's limit of links per sheet (reports-and-ui.md 2)."""

Kind = Literal[
    "text", "wrapped", "int", "percent", "score", "span", "date", "moment", "speed",
    "title", "quiet", "head", "label", "link",
]  # fmt: skip

_SAFE_OPTIONS = {
    # Rows go to temporary files: 50,000 of them would take 250 MB in memory.
    "in_memory": False,
    "constant_memory": True,
    # Transcripts and names are other people's words: "=cmd|…" stays a text.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_ACCENT, _INK, _MUTE, _RULE = "#0F766E", "#0F172A", "#64748B", "#E2E8F0"
_CELL = {"valign": "top", "font_color": _INK}
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "text": _CELL,
    "wrapped": {**_CELL, "text_wrap": True},
    "int": {**_CELL, "num_format": "#,##0"},
    "percent": {**_CELL, "num_format": "0.0%"},
    "score": {**_CELL, "num_format": "0.0"},
    "span": {**_CELL, "num_format": "[m]:ss", "align": "right"},
    "date": {**_CELL, "num_format": "dd.mm.yyyy", "align": "left"},
    "moment": {**_CELL, "num_format": "dd.mm.yyyy hh:mm", "align": "left"},
    "speed": {**_CELL, "num_format": "0.0"},
    "title": {"bold": True, "font_size": 16, "font_color": _ACCENT},
    "quiet": {"font_color": _MUTE},
    "head": {
        "bold": True, "text_wrap": True, "valign": "vcenter", "font_color": "#FFFFFF",
        "bg_color": _ACCENT, "border": 1, "border_color": _RULE,
    },
    "label": {**_CELL, "bold": True},
    "link": {"valign": "top", "font_color": "#0563C1", "underline": 1},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with the way it is shown. None leaves the cell empty."""

    value: str | float | datetime | None
    kind: Kind = "text"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A clickable address shown as «открыть»; None leaves the cell empty."""

    url: str | None


class Book:
    """The workbook being written; `finish` returns its bytes, equal for equal content."""

    def __init__(self, created_at: datetime) -> None:
        self._buffer = io.BytesIO()
        self.workbook = xlsxwriter.Workbook(self._buffer, _SAFE_OPTIONS)
        # Excel knows no time zones: the wall clock as it is.
        self.workbook.set_properties(
            {"author": "MedAI", "created": created_at.replace(tzinfo=None)}
        )
        self._formats: dict[tuple[str, bool], Any] = {}

    def sheet(self, name: str, widths: Sequence[float]) -> "Sheet":
        """A new sheet after the others, with its column widths in characters."""
        worksheet = self.workbook.add_worksheet(name)
        for column, width in enumerate(widths):
            worksheet.set_column(column, column, width)
        worksheet.hide_gridlines(2)
        worksheet.set_landscape()
        worksheet.set_paper(9)  # A4
        worksheet.fit_to_pages(1, 0)
        worksheet.set_footer("&L&A&RСтр. &P из &N")
        return Sheet(self, worksheet, name)

    def format(self, kind: str, *, bold: bool = False) -> Any:
        """The workbook's format of a kind of cell, made once."""
        key = kind, bold
        if key not in self._formats:
            extra = {"bold": True, "top": 1, "top_color": _MUTE} if bold else {}
            self._formats[key] = self.workbook.add_format({**_FORMATS[kind], **extra})
        return self._formats[key]

    def finish(self) -> bytes:
        """Close the workbook and give its bytes."""
        self.workbook.close()
        return self._buffer.getvalue()


class Sheet:
    """A worksheet that remembers the next free row, as constant memory demands row order."""

    def __init__(self, book: Book, worksheet: Any, name: str) -> None:
        self.book = book
        self.worksheet = worksheet
        self.name = name
        self.next_row = 0
        self._links = 0

    def row(self, *cells: Cell | Link) -> int:
        """Write a row of cells and return its index."""
        for column, cell in enumerate(cells):
            if isinstance(cell, Link):
                self._write_link(column, cell.url)
            else:
                self._write(column, cell)
        self.next_row += 1
        return self.next_row - 1

    def head(self, *titles: str) -> int:
        """Write a row of column titles and return its index."""
        return self.row(*(Cell(title, "head") for title in titles))

    def keep_head(self, columns: int = 0) -> None:
        """Keep the first row in sight, with so many columns, and print it on every page."""
        self.worksheet.freeze_panes(1, columns)
        self.worksheet.repeat_rows(0)

    def skip(self) -> None:
        """Leave a row empty."""
        self.next_row += 1

    def _write(self, column: int, cell: Cell) -> None:
        form = self.book.format(cell.kind, bold=cell.bold)
        row, value = self.next_row, cell.value
        if value is None:
            self.worksheet.write_blank(row, column, None, form)
        elif isinstance(value, str):
            text = shortened(clean(value), MAX_CELL_TEXT)
            self.worksheet.write_string(row, column, text, form)
        elif isinstance(value, datetime):
            self.worksheet.write_datetime(row, column, value.replace(tzinfo=None), form)
        else:
            self.worksheet.write_number(row, column, value, form)

    def _write_link(self, column: int, url: str | None) -> None:
        if url is None:
            return
        if self._links >= MAX_LINKS:
            self._write(column, Cell(url))
            return
        self._links += 1
        form = self.book.format("link")
        self.worksheet.write_url(self.next_row, column, url, form, "открыть")
