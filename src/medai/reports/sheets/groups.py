"""Sheets «Администраторы», «Источники» and «Типы звонков»."""

from collections.abc import Sequence

from medai.reports import format_ru as ru
from medai.reports.models import Group, KeyFigures, ReportContent
from medai.reports.sheets.book import Book, Cell, Sheet
from medai.reports.sheets.summary import days_of, fraction

_MAX_BARS = 40


def write_administrators(book: Book, content: ReportContent) -> None:
    """One row per administrator: calls by direction, conversions and FG, with a total."""
    sheet = book.sheet("Администраторы", (6, 34, 11, 11, 11, 14, 14, 10, 12, 14, 24))
    several = len(content.clinic_names) > 1
    sheet.head(
        "№", "Администратор", "Всего звонков", "Входящие", "Исходящие",
        "Конверсия входящих, %", "Конверсия исходящих, %", "FG, %", "Конверсия, %",
        "Средняя длительность", *(["Клиника"] if several else []),
    )  # fmt: skip
    for number, group in enumerate(content.administrators, start=1):
        clinic = [Cell(group.clinic)] if several else []
        sheet.row(Cell(number, "int"), *_administrator(group.name, group.figures), *clinic)
    sheet.row(Cell(None, bold=True), *_administrator("Итого", content.current, bold=True))
    _finish(sheet, len(content.administrators), 9)
    _add_bars(sheet, len(content.administrators), 12, "Конверсия и FG, %", (8, 7))


def write_sources(book: Book, content: ReportContent) -> None:
    """One row per source."""
    _write_shares(book, "Источники", "Источник", content.sources, content.current)


def write_call_types(book: Book, content: ReportContent) -> None:
    """One row per call type."""
    _write_shares(book, "Типы звонков", "Тип звонка", content.call_types, content.current)


def _write_shares(
    book: Book, name: str, title: str, groups: Sequence[Group], total: KeyFigures
) -> None:
    sheet = book.sheet(name, (6, 34, 11, 10, 11, 11, 12, 10, 10))
    sheet.head(
        "№", title, "Звонков", "Доля, %", "Входящие", "Исходящие", "Конверсия, %",
        ru.BOOKINGS, "FG, %",
    )  # fmt: skip
    for number, group in enumerate(groups, start=1):
        sheet.row(Cell(number, "int"), *_share(group.name, group.figures, total))
    sheet.row(Cell(None, bold=True), *_share("Итого", total, total, bold=True))
    _finish(sheet, len(groups), 8)
    _add_bars(sheet, len(groups), 10, "Конверсия, %", (6,))


def _administrator(name: str, figures: KeyFigures, *, bold: bool = False) -> list[Cell]:
    return [
        Cell(name, bold=bold),
        Cell(figures.calls, "int", bold),
        Cell(figures.inbound, "int", bold),
        Cell(figures.outbound, "int", bold),
        Cell(figures.inbound_conversion, "percent", bold),
        Cell(figures.outbound_conversion, "percent", bold),
        Cell(fraction(figures.fg_percent), "percent", bold),
        Cell(figures.conversion, "percent", bold),
        Cell(days_of(figures.average_seconds), "span", bold),
    ]


def _share(name: str, figures: KeyFigures, total: KeyFigures, *, bold: bool = False) -> list[Cell]:
    share = figures.calls / total.calls if total.calls else None
    return [
        Cell(name, bold=bold),
        Cell(figures.calls, "int", bold),
        Cell(share, "percent", bold),
        Cell(figures.inbound, "int", bold),
        Cell(figures.outbound, "int", bold),
        Cell(figures.conversion, "percent", bold),
        Cell(figures.converted, "int", bold),
        Cell(fraction(figures.fg_percent), "percent", bold),
    ]


def _finish(sheet: Sheet, rows: int, last_column: int) -> None:
    """Keep the titles in sight and let readers filter; the total stays out of the filter."""
    sheet.keep_head(2)
    if rows:
        sheet.worksheet.autofilter(0, 0, rows, last_column)


def _add_bars(sheet: Sheet, rows: int, at_column: int, title: str, columns: Sequence[int]) -> None:
    if not rows:
        return
    drawn = min(rows, _MAX_BARS)
    chart = sheet.book.workbook.add_chart({"type": "bar"})
    for column, color in zip(columns, ("#0F766E", "#2563EB"), strict=False):
        chart.add_series(
            {
                "name": [sheet.name, 0, column],
                "categories": [sheet.name, 1, 1, drawn, 1],
                "values": [sheet.name, 1, column, drawn, column],
                "fill": {"color": color},
                "gap": 60,
            }
        )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_x_axis({"num_format": "0%", "min": 0, "max": 1})
    chart.set_y_axis({"reverse": True, "major_gridlines": {"visible": False}})
    chart.set_legend({"position": "bottom"} if len(columns) > 1 else {"none": True})
    chart.set_size({"width": 560, "height": 160 + 28 * drawn})
    sheet.worksheet.insert_chart(1, at_column, chart)
