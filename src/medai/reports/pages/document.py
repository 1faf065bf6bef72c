"""The whole PDF as one JSON document for the Typst template."""

from medai.kit.text import shortened
from medai.reports import format_ru as ru
from medai.reports.models import KeyFigures, ReportContent
from medai.reports.pages.advice import advice_part, common_part
from medai.reports.pages.cards import cards
from medai.reports.pages.charts import (
    call_bars,
    conversion_bars,
    funnel_bars,
    heat_table,
    loss_bars,
    minute_bars,
    share_ring,
)
from medai.reports.pages.criteria import criteria_note, criteria_part
from medai.reports.pages.glossary import glossary_part
from medai.reports.pages.highlights import highlights
from medai.reports.pages.lines import group_lines, line_chart, score_lines
from medai.reports.pages.markdown import blocks
from medai.reports.pages.parts import Part, shown
from medai.reports.pages.tables import administrator_table, share_table

_TOP_SOURCES, _TOP_TYPES = 6, 5
"""Contract 8.1, section 4."""
_NAMED_CLINICS = 3
_WHEN_EMPTY = (
    "Так бывает в выходные и праздники, пока звонки ещё расшифровываются и оцениваются или если "
    "клиника не подключена к CRM. Выберите другой период или сделайте отчёт позже."
)


def document(content: ReportContent) -> Part:
    """Every text formatted, every chart computed: the template only lays out."""
    report = {**_frame(content), **_sections(content)}
    return {**report, "glossary": glossary_part(report)}


def _sections(content: ReportContent) -> Part:
    by_week = len(content.weeks) > 1
    return {
        "empty": content.current.calls == 0,
        "advice_when_empty": _WHEN_EMPTY,
        "cards": cards(content),
        "highlights": highlights(content),
        "days": line_chart(content.days),
        "call_bars": call_bars(content.administrators),
        "minute_bars": minute_bars(content.administrators),
        "source_bars": conversion_bars(content.sources, _TOP_SOURCES),
        "type_bars": conversion_bars(content.call_types, _TOP_TYPES),
        "administrators": administrator_table(content.administrators, content.current),
        "sources": share_table("Источник", content.sources, content.current),
        "call_types": share_table("Тип звонка", content.call_types, content.current),
        "source_ring": share_ring(content.sources),
        "source_days": group_lines(content.days, content.source_days),
        "type_days": group_lines(content.days, content.type_days),
        "weeks": score_lines(content.weeks, content.criteria),
        "funnel": funnel_bars(content.funnel),
        "losses": {**loss_bars(content.losses), "calls": ru.to_calls(content.losses.calls)},
        "heat": heat_table(content.heat, content.period),
        "criteria": [criteria_part(one, by_week=by_week) for one in content.criteria],
        "criteria_note": criteria_note(content),
        "common": common_part(content.common_advice),
        "summary": blocks(content.summary),
        "advice": advice_part(content),
    }


def _frame(content: ReportContent) -> Part:
    compared = content.previous_period if content.previous else None
    return {
        "title": content.title,
        "clinic": shown(shortened(clinics_line(content.clinic_names), 80)),
        "clinic_short": shown(shortened(clinics_line(content.clinic_names), 60)),
        "period": ru.period(content.period),
        "dates": ru.dates(content.period),
        "created": ru.moment(content.created_at),
        "compared": f"Изменения — к периоду {ru.dates(compared)}" if compared else "",
        "undirected": _undirected(content.current),
    }


def clinics_line(names: tuple[str, ...]) -> str:
    """The first clinics by name and how many there are besides."""
    named = ", ".join(names[:_NAMED_CLINICS])
    hidden = len(names) - _NAMED_CLINICS
    return f"{named} и ещё {hidden}" if hidden > 0 else named


def _undirected(figures: KeyFigures) -> str:
    """Why incoming and outgoing calls do not add up, when they do not."""
    count = figures.calls - figures.inbound - figures.outbound
    if not count:
        return ""
    calls = ru.counted(count, "звонка", "звонков", "звонков")
    return f"У {calls} направление неизвестно: в общее число они входят"
