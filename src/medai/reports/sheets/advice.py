"""Sheets «Рекомендации» and «Общие рекомендации»."""

from collections.abc import Iterable

from medai.reports.models import AdministratorAdvice, CallAdvice, ReportContent
from medai.reports.sheets.book import Book, Cell, Link
from medai.reports.sheets.summary import days_of


def write_advice(book: Book, content: ReportContent, advice: Iterable[AdministratorAdvice]) -> None:
    """One row per call with recommendations, with links to its transcript and recording."""
    several = len(content.clinic_names) > 1
    sheet = book.sheet("Рекомендации", (6, 30, 15, 12, 90, 17, 16, 12, 11, 9, 12, 24))
    sheet.head(
        "№", "Администратор", "Транскрибация", "Запись", "Рекомендации", "Дата и время", "Тип",
        "Направление", "Длительность", "Оценка", "Запись в CRM", *(["Клиника"] if several else []),
    )  # fmt: skip
    pairs = ((person, call) for person in advice for call in person.calls)
    number = 0
    for number, (person, call) in enumerate(pairs, start=1):
        clinic = [Cell(person.clinic)] if several else []
        sheet.row(Cell(number, "int"), *_call(person, call), *clinic)
    sheet.keep_head(2)
    if number:
        sheet.worksheet.autofilter(0, 0, number, 11 if several else 10)


def write_common_advice(book: Book, content: ReportContent) -> None:
    """Texts given to several administrators, then the period's conclusion if there is one."""
    sheet = book.sheet("Общие рекомендации", (6, 110, 18, 12))
    sheet.head("№", "Рекомендация", "Администраторов", "Звонков")
    for number, one in enumerate(content.common_advice, start=1):
        sheet.row(
            Cell(number, "int"),
            Cell(one.text, "wrapped"),
            Cell(one.administrators, "int"),
            Cell(one.calls, "int"),
        )
    sheet.keep_head()
    if content.summary.strip():
        sheet.skip()
        sheet.row(Cell(None), Cell("Выводы за период", "label"))
        for line in filter(None, map(str.strip, content.summary.splitlines())):
            sheet.row(Cell(None), Cell(line, "wrapped"))


def _call(person: AdministratorAdvice, call: CallAdvice) -> list[Cell | Link]:
    return [
        Cell(person.name),
        Link(call.transcript_url),
        Link(call.recording_url),
        Cell("\n".join(f"• {text}" for text in call.texts), "wrapped"),
        Cell(call.at, "moment"),
        Cell(call.call_type),
        Cell(call.direction),
        Cell(days_of(call.seconds), "span"),
        Cell(call.overall, "score"),
        Cell("да" if call.converted else "нет"),
    ]
