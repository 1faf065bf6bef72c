"""The Excel report: the sheets of contract 8.2 in their order."""

from collections.abc import Iterable

from medai.reports.models import AdministratorAdvice, ReportContent
from medai.reports.packing import PackedReport
from medai.reports.sheets.advice import write_advice, write_common_advice
from medai.reports.sheets.book import Book
from medai.reports.sheets.groups import write_administrators, write_call_types, write_sources
from medai.reports.sheets.summary import write_summary
from medai.reports.sheets.weeks import write_weeks


def render_excel(content: ReportContent) -> bytes:
    """The report as xlsx bytes, equal for equal content.

    Numbers stay numbers, with percent and time formats; texts are never formulas. Holds the
    interpreter lock: run it in another process (`medai.reports.renderer`).
    """
    return _written(content, content.advice)


def render_packed_excel(report: PackedReport) -> bytes:
    """The same, with the recommendations unpacked while they are written."""
    return _written(report.frame, report.advice())


def _written(content: ReportContent, advice: Iterable[AdministratorAdvice]) -> bytes:
    book = Book(content.created_at)
    for write in (
        write_summary,
        write_administrators,
        write_sources,
        write_call_types,
        write_weeks,
    ):
        write(book, content)
    write_advice(book, content, advice)
    write_common_advice(book, content)
    return book.finish()
