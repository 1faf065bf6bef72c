"""Sheet «Сводная информация»: the key figures, then every day with a line chart."""

from collections.abc import Sequence
from datetime import datetime, time

from medai.reports import format_ru as ru
from medai.reports.models import FunnelStep, KeyFigures, ReportContent
from medai.reports.sheets.book import Book, Cell, Kind, Sheet

NAME = "Сводная информация"
_SECONDS_PER_DAY = 86_400
"""Excel counts time in days."""


def days_of(seconds: float | None) -> float | None:
    """A length of time as Excel keeps it."""
    return None if seconds is None else seconds / _SECONDS_PER_DAY


def fraction(percent: float | None) -> float | None:
    """0-100 as the 0-1 that Excel's percent formats expect."""
    return None if percent is None else percent / 100


def write_summary(book: Book, content: ReportContent) -> None:
    """Clinic, period and creation time; figures with the previous period; calls by day."""
    sheet = book.sheet(NAME, (38, 18, 18, 18))
    sheet.row(Cell(content.title, "title"))
    sheet.row(Cell("Клиника", "label"), Cell(", ".join(content.clinic_names)))
    sheet.row(Cell("Период", "label"), Cell(ru.dates(content.period)))
    sheet.row(Cell("Создан", "label"), Cell(ru.moment(content.created_at)))
    sheet.skip()
    _write_figures(sheet, content)
    sheet.skip()
    _write_way(sheet, content)
    _write_days(sheet, content)


def _write_figures(sheet: Sheet, content: ReportContent) -> None:
    previous = content.previous_period if content.previous else None
    sheet.head("Показатель", "Значение", *([ru.dates(previous)] if previous else []))
    before = _figures(content.previous) if content.previous else []
    for index, (label, value, kind) in enumerate(_figures(content.current)):
        earlier = [Cell(before[index][1], kind)] if before else []
        sheet.row(Cell(label), Cell(value, kind), *earlier)


def _figures(figures: KeyFigures) -> list[tuple[str, float | None, Kind]]:
    return [
        ("Всего звонков", figures.calls, "int"),
        ("Входящие звонки", figures.inbound, "int"),
        ("Исходящие звонки", figures.outbound, "int"),
        (ru.BOOKINGS, figures.converted, "int"),
        ("Конверсия, %", figures.conversion, "percent"),
        ("FG, %", fraction(figures.fg_percent), "percent"),
        ("Скорость обработки, мин", figures.speed_minutes, "speed"),
        ("Средняя длительность, мин:сек", days_of(figures.average_seconds), "span"),
        ("Общая длительность, мин:сек", days_of(figures.seconds), "span"),
    ]


def _write_way(sheet: Sheet, content: ReportContent) -> None:
    """The funnel of first contacts and why the others did not book, where there is any."""
    if content.funnel:
        _write_steps(sheet, "Воронка первичных звонков", content.funnel, content.funnel[0].calls)
    if content.losses.calls:
        rest = FunnelStep("Ничего из перечисленного", content.losses.unexplained)
        reasons = (*content.losses.reasons, rest)
        _write_steps(sheet, "Почему не записались", reasons, content.losses.calls)


def _write_steps(sheet: Sheet, title: str, steps: Sequence[FunnelStep], total: int) -> None:
    sheet.head(title, "Звонков", "Доля, %")
    for step in steps:
        sheet.row(Cell(step.name), Cell(step.calls, "int"), Cell(step.calls / total, "percent"))
    sheet.skip()


def _write_days(sheet: Sheet, content: ReportContent) -> None:
    top = sheet.head("День", "Звонки", ru.BOOKINGS, "Конверсия, %")
    for point in content.days:
        share = point.converted / point.calls if point.calls else None
        sheet.row(
            Cell(datetime.combine(point.day, time.min), "date"),
            Cell(point.calls, "int"),
            Cell(point.converted, "int"),
            Cell(share, "percent"),
        )
    chart = sheet.book.workbook.add_chart({"type": "line"})
    for column, color in ((1, "#0F766E"), (2, "#2563EB")):
        chart.add_series(
            {
                "name": [NAME, top, column],
                "categories": [NAME, top + 1, 0, top + len(content.days), 0],
                "values": [NAME, top + 1, column, top + len(content.days), column],
                "line": {"color": color, "width": 2},
            }
        )
    chart.set_title({"name": "Звонки и записи в CRM по дням", "name_font": {"size": 12}})
    chart.set_x_axis({"date_axis": True, "num_format": "dd.mm"})
    chart.set_y_axis({"min": 0, "major_gridlines": {"visible": True, "line": {"color": "#E2E8F0"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 320})
    sheet.worksheet.insert_chart(0, 5, chart)
