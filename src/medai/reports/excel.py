"""The Excel report: the sheets of contract 8.2 in their order."""

from medai.reports.models import ReportContent
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
    book = Book(content.created_at)
    for write in (
        write_summary,
        write_administrators,
        write_sources,
        write_call_types,
        write_weeks,
        write_advice,
        write_common_advice,
    ):
        write(book, content)
    return book.finish()
