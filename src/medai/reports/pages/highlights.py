"""The few sentences a clinic owner reads first. Each is a fact of the report, never a guess."""

from collections.abc import Iterable, Iterator, Sequence

from medai.calls.models import UNDEFINED_SOURCE, UNKNOWN_ADMINISTRATOR
from medai.reports import format_ru as ru
from medai.reports.models import CriteriaSection, Group, ReportContent
from medai.reports.pages.parts import Part, mark, shown

_ENOUGH_CALLS = 5
"""Fewer calls say nothing about a person or a source."""
_WEEKDAYS = (
    "понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье",
)  # fmt: skip


def highlights(content: ReportContent) -> list[Part]:
    """Label and sentence of each fact there is enough data for."""
    found = (
        *_people(_comparable(content.administrators, UNKNOWN_ADMINISTRATOR)),
        *_source(_comparable(content.sources, UNDEFINED_SOURCE)),
        *_criteria(content.criteria),
        *_peak(content.heat),
    )
    return [{"label": label, "text": shown(text)} for label, text in found]


def _comparable(groups: Iterable[Group], unknown: str) -> list[Group]:
    return [
        group for group in groups if group.figures.calls >= _ENOUGH_CALLS and group.name != unknown
    ]


def _people(groups: Sequence[Group]) -> Iterator[tuple[str, str]]:
    if len(groups) < 2:
        return
    best = min(groups, key=lambda group: (-(group.figures.conversion or 0), group.name))
    if best.figures.converted:
        yield "Лучшая конверсия", _of(best, ru.percent(best.figures.conversion))
    best = min(groups, key=lambda group: (-(group.figures.fg_percent or 0), group.name))
    if best.figures.scored:
        yield "Лучшее качество", _of(best, f"FG {ru.percent_points(best.figures.fg_percent)}")


def _of(group: Group, value: str) -> str:
    clinic = f", {mark(group.clinic)}" if group.clinic else ""
    return f"{mark(group.name)}{clinic} — {value} ({ru.calls(group.figures.calls)})"


def _source(groups: Sequence[Group]) -> Iterator[tuple[str, str]]:
    if len(groups) < 2:
        return
    best = min(groups, key=lambda group: (-group.figures.converted, group.name))
    if best.figures.converted:
        bookings = ru.counted(best.figures.converted, "запись", "записи", "записей")
        share = ru.percent(best.figures.conversion)
        yield (
            "Больше всего записей",
            f"{mark(best.name)} — {bookings} в{ru.NBSP}CRM, конверсия {share}",
        )


def _criteria(sections: Sequence[CriteriaSection]) -> Iterator[tuple[str, str]]:
    scored = [
        (mean, name, section.call_type)
        for section in sections
        if section.calls >= _ENOUGH_CALLS
        for name, mean in zip(section.criteria, section.means, strict=True)
        if mean is not None
    ]
    if len(scored) < 2:
        return
    yield "Сильная сторона", _criterion(min(scored, key=lambda one: (-one[0], one[1], one[2])))
    yield "Зона внимания", _criterion(min(scored))


def _criterion(scored: tuple[float, str, str]) -> str:
    mean, name, call_type = scored
    return f"«{mark(name)}» ({mark(call_type)}) — {ru.decimal(mean)} из 10"


def _peak(heat: Sequence[Sequence[int]]) -> Iterator[tuple[str, str]]:
    cells = [
        (-count, weekday, hour)
        for weekday, row in enumerate(heat)
        for hour, count in enumerate(row)
    ]
    count, weekday, hour = min(cells)
    if -count >= _ENOUGH_CALLS:
        yield "Пик нагрузки", f"{_WEEKDAYS[weekday]}, {hour}:00–{hour + 1}:00 — {ru.calls(-count)}"
