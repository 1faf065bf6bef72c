"""The report as a short message: the same figures as PDF and Excel, in Telegram's HTML.

Telegram takes 4,096 characters of a few tags (telegram.md); everything else is escaped text.
"""

from collections.abc import Iterator
from html import escape

from medai.kit.text import clean, shortened
from medai.reports import format_ru as ru
from medai.reports.models import ReportContent
from medai.reports.pages.cards import cards
from medai.reports.pages.document import clinics_line
from medai.reports.pages.highlights import highlights
from medai.reports.pages.parts import Part

_LONGEST_CLINIC = 80
_LONGEST_FACT = 200


def telegram_text(content: ReportContent) -> str:
    """Clinic, period, key figures with their change, and the facts worth knowing first."""
    return "\n".join(_lines(content))


def _lines(content: ReportContent) -> Iterator[str]:
    clinic = shortened(clinics_line(content.clinic_names), _LONGEST_CLINIC)
    yield f"<b>{_plain(clinic)}</b>"
    yield f"{content.title}, {ru.period(content.period)}"
    yield ""
    if not content.current.calls:
        yield "За этот период нет звонков с оценкой."
        return
    yield from map(_figure, cards(content))
    facts = highlights(content)
    if facts:
        yield ""
    for fact in facts:
        yield f"{fact['label']}: {_plain(shortened(fact['text'], _LONGEST_FACT))}"
    if content.previous and content.previous_period:
        yield ""
        yield f"<i>Изменения — к периоду {ru.dates(content.previous_period)}</i>"


def _figure(card: Part) -> str:
    change = card["change"]
    told = f"{change['mark']} {change['text']}".strip()
    return f"{card['label']}: <b>{card['value']}</b>" + (f" ({told})" if told else "")


def _plain(text: str) -> str:
    """The words without markup, control characters and the PDF's invisible break points."""
    return escape(clean(text).replace("\N{ZERO WIDTH SPACE}", ""), quote=False)
