"""The key figures of the cover with their change against the previous period."""

from typing import Literal

from medai.reports import format_ru as ru
from medai.reports.models import KeyFigures, ReportContent
from medai.reports.pages.parts import Part

Better = Literal["more", "less", "neither"]


def cards(content: ReportContent) -> list[Part]:
    """Eight cards in reading order (contract 8.1, section 1)."""
    now, before = content.current, content.previous
    talk, fg = ru.minutes_seconds(now.seconds), ru.percent_points(now.fg_percent)
    mean, speed = ru.minutes_seconds(now.average_seconds), ru.minutes(now.speed_minutes)
    return [
        _card("Звонки", ru.integer(now.calls), _grown(now, before, "calls")),
        _card("Входящие", ru.integer(now.inbound), _grown(now, before, "inbound")),
        _card("Исходящие", ru.integer(now.outbound), _grown(now, before, "outbound")),
        _card("Общая длительность, мин", talk, _grown(now, before, "seconds")),
        _card("Конверсия", ru.percent(now.conversion), _points(now, before, "conversion", 100)),
        _card("FG %", fg, _points(now, before, "fg_percent", 1)),
        _card("Средний звонок, мин", mean, _grown(now, before, "average_seconds")),
        _card("Скорость обработки", speed, _grown(now, before, "speed_minutes", better="less")),
    ]


def person_cards(now: KeyFigures, before: KeyFigures | None) -> list[Part]:
    """Four cards of one administrator."""
    return [
        _card("Звонки", ru.integer(now.calls), _grown(now, before, "calls")),
        _card("Конверсия", ru.percent(now.conversion), _points(now, before, "conversion", 100)),
        _card("FG %", ru.percent_points(now.fg_percent), _points(now, before, "fg_percent", 1)),
        _card(
            "Средний, мин",
            ru.minutes_seconds(now.average_seconds),
            _grown(now, before, "average_seconds"),
        ),
    ]


def _card(label: str, value: str, change: Part) -> Part:
    return {"label": label, "value": value, "change": change}


def _grown(
    now: KeyFigures, before: KeyFigures | None, name: str, better: Better = "neither"
) -> Part:
    """Relative change in percent; nothing to say when the earlier value is missing or zero."""
    new, old = getattr(now, name), getattr(before, name, None)
    if new is None or not old:
        return _change(None, "", better)
    percent = (new - old) / old * 100
    return _change(percent, f"{ru.signed(percent)}{ru.NBSP}%", better)


def _points(now: KeyFigures, before: KeyFigures | None, name: str, factor: float) -> Part:
    """Change of a share in percentage points."""
    new, old = getattr(now, name), getattr(before, name, None)
    if new is None or old is None:
        return _change(None, "", "more")
    points = (new - old) * factor
    return _change(points, f"{ru.signed(points)}{ru.NBSP}п.{ru.NBSP}п.", "more")


def _change(value: float | None, text: str, better: Better) -> Part:
    if value is None or text.startswith("0,0"):
        return {"text": "без изменений" if text else "", "mark": "", "tone": "plain"}
    rising = value > 0
    tone = "plain" if better == "neither" else "good" if rising == (better == "more") else "poor"
    return {"text": text, "mark": "▲" if rising else "▼", "tone": tone}
