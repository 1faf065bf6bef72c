"""Tables of administrators, sources and call types."""

from collections.abc import Sequence

from medai.reports import format_ru as ru
from medai.reports.models import Group, KeyFigures
from medai.reports.pages.parts import Part, cell, column, fg_tone, table

_MAX_GROUPS = 100
"""More sources than this are tags put there by machines; Excel holds them all."""


def administrator_table(groups: Sequence[Group], total: KeyFigures) -> Part:
    """Calls, directions, the three conversions, FG and mean length of each administrator."""
    columns = [
        column("Администратор", numeric=False),
        column("Звонки", 38),
        column("Входящие", 46),
        column("Исходящие", 49),
        column("Конверсия", 50),
        column("Конверсия входящих", 50),
        column("Конверсия исходящих", 52),
        column("FG %", 42),
        column("Средняя длит.", 42),
    ]
    rows = [_administrator(group.name, group.figures, group.clinic) for group in _listed(groups)]
    return table(columns, rows, _administrator("Итого", total), _note(groups))


def share_table(title: str, groups: Sequence[Group], total: KeyFigures) -> Part:
    """Calls, share, directions, conversion and FG of each source or call type."""
    columns = [
        column(title, numeric=False),
        column("Звонки", 46),
        column("Доля", 50),
        column("Входящие", 54),
        column("Исходящие", 56),
        column(ru.BOOKINGS.replace("в ", f"в{ru.NBSP}"), 48),
        column("Конверсия", 58),
        column("FG %", 50),
    ]
    rows = [_share(group.name, group.figures, total) for group in _listed(groups)]
    return table(columns, rows, _share("Итого", total, total), _note(groups))


def _administrator(name: str, figures: KeyFigures, clinic: str = "") -> list[Part]:
    return [
        cell(name, note=clinic),
        cell(ru.integer(figures.calls)),
        cell(ru.integer(figures.inbound)),
        cell(ru.integer(figures.outbound)),
        cell(ru.percent(figures.conversion)),
        cell(ru.percent(figures.inbound_conversion)),
        cell(ru.percent(figures.outbound_conversion)),
        cell(ru.percent_points(figures.fg_percent), fg_tone(figures.fg_percent)),
        cell(ru.minutes_seconds(figures.average_seconds)),
    ]


def _share(name: str, figures: KeyFigures, total: KeyFigures) -> list[Part]:
    return [
        cell(name),
        cell(ru.integer(figures.calls)),
        cell(ru.percent(figures.calls / total.calls if total.calls else None)),
        cell(ru.integer(figures.inbound)),
        cell(ru.integer(figures.outbound)),
        cell(ru.integer(figures.converted)),
        cell(ru.percent(figures.conversion)),
        cell(ru.percent_points(figures.fg_percent), fg_tone(figures.fg_percent)),
    ]


def _listed(groups: Sequence[Group]) -> Sequence[Group]:
    return groups[:_MAX_GROUPS]


def _note(groups: Sequence[Group]) -> str:
    if len(groups) <= _MAX_GROUPS:
        return ""
    return f"Показаны первые {_MAX_GROUPS} строк из {ru.integer(len(groups))}, все — в Excel."
