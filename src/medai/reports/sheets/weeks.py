"""Sheet «Оценки по неделям»: a table of means per call type (contract 8.1, section 2)."""

from datetime import timedelta

from medai.reports import format_ru as ru
from medai.reports.models import CriteriaSection, ReportContent
from medai.reports.sheets.book import Book, Cell, Sheet

_ZONES = ((">=", 8, "#D1FAE5"), (">=", 5, "#FEF3C7"), ("<", 5, "#FEE2E2"))
"""Zones of contract 7, the first that fits wins: strong from 8, growth from 5, else critical."""
_FIRST_SCORE = 3


def write_weeks(book: Book, content: ReportContent) -> None:
    """Rows are ISO weeks, columns criteria in the order of the scorecard."""
    widest = max((len(section.criteria) for section in content.criteria), default=0)
    sheet = book.sheet("Оценки по неделям", (13, 16, 10, *(14,) * (widest + 1)))
    for section in content.criteria:
        _write_section(sheet, section)
        sheet.skip()
    if not content.criteria:
        sheet.row(Cell("Нет звонков с оценёнными критериями", "quiet"))
    sheet.worksheet.freeze_panes(0, 1)


def _write_section(sheet: Sheet, section: CriteriaSection) -> None:
    sheet.row(
        Cell(f"{section.call_type} — {ru.calls(section.calls)}, критерии от 0 до 10", "label")
    )
    top = sheet.head("Неделя", "Даты", "Звонков", *section.criteria, "Общая оценка")
    for week in section.weeks:
        sheet.row(
            Cell(f"Неделя {week.monday.isocalendar().week}"),
            Cell(f"{ru.short_day(week.monday)}–{ru.day(week.monday + timedelta(days=6))}"),
            Cell(week.calls, "int"),
            *(Cell(mean, "score") for mean in (*week.means, week.overall)),
        )
    last = sheet.row(
        Cell("За период", bold=True),
        Cell(None, bold=True),
        Cell(section.calls, "int", bold=True),
        *(Cell(mean, "score", bold=True) for mean in (*section.means, section.overall)),
    )
    _color(sheet, top + 1, last, _FIRST_SCORE + len(section.criteria))


def _color(sheet: Sheet, first: int, last: int, last_column: int) -> None:
    area = (first, _FIRST_SCORE, last, last_column)
    # An empty cell counts as 0 for Excel: it must not turn red.
    sheet.worksheet.conditional_format(*area, {"type": "blanks", "stop_if_true": True})
    for criteria, value, color in _ZONES:
        form = sheet.book.workbook.add_format({"bg_color": color})
        rule = {"type": "cell", "criteria": criteria, "value": value, "format": form}
        sheet.worksheet.conditional_format(*area, {**rule, "stop_if_true": True})
