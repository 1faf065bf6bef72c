"""Bars, shares and the heat map as fractions, computed here so that Typst only draws."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, islice, pairwise

from medai.kit.days import DayRange
from medai.reports import format_ru as ru
from medai.reports.models import WEEKDAYS, FunnelStep, Group, Losses
from medai.reports.pages.parts import Part, Tone, mark

_MAX_BARS = 12
_MAX_SLICES = 6
"""More slices than this cannot be told apart; the rest is one grey slice."""
_OPENS, _CLOSES = 9, 18
"""Hours that the heat map always shows: fewer would stretch into stripes."""


def call_bars(groups: Sequence[Group], limit: int = _MAX_BARS) -> Part:
    """Number of calls of the largest groups."""
    top = max((group.figures.calls for group in groups), default=0)
    return _bars(
        [
            (
                _whose(group),
                ru.integer(group.figures.calls),
                _share(group.figures.calls, top),
                "plain",
            )
            for group in groups[:limit]
        ],
        len(groups),
    )


def minute_bars(groups: Sequence[Group]) -> Part:
    """Minutes of talk per group."""
    top = max((group.figures.seconds for group in groups), default=0)
    return _bars(
        [
            (
                _whose(group),
                ru.minutes_seconds(group.figures.seconds),
                _share(group.figures.seconds, top),
                "plain",
            )
            for group in groups[:_MAX_BARS]
        ],
        len(groups),
    )


def conversion_bars(groups: Sequence[Group], limit: int) -> Part:
    """Conversion of the largest groups with their number of calls (contract 8.1, section 4)."""
    chosen = groups[:limit]
    return _bars(
        [
            (
                f"{mark(group.name)}{ru.NBSP}·{ru.NBSP}{ru.integer(group.figures.calls)}",
                ru.percent(group.figures.conversion),
                group.figures.conversion or 0.0,
                "plain",
            )
            for group in chosen
        ],
        len(groups),
    )


def share_ring(groups: Sequence[Group]) -> Part:
    """Shares of the largest groups and of the rest, as arcs from 0 to 1 (contract 8.1, 6)."""
    total = sum(group.figures.calls for group in groups)
    counts = [(group.name, group.figures.calls) for group in groups[:_MAX_SLICES]]
    if len(groups) > _MAX_SLICES:
        rest = sum(group.figures.calls for group in groups[_MAX_SLICES:])
        counts.append((f"Остальные, {len(groups) - _MAX_SLICES}", rest))
    edges = pairwise(accumulate((_share(count, total) for _, count in counts), initial=0.0))
    return {
        "total": ru.integer(total),
        "noun": ru.plural(total, "звонок", "звонка", "звонков"),
        "slices": [
            {"label": mark(name), "value": ru.percent(_share(count, total)),
             "from": start, "to": end, "color": color}
            for color, ((name, count), (start, end)) in enumerate(zip(counts, edges, strict=True))
        ],
    }  # fmt: skip


def funnel_bars(steps: Sequence[FunnelStep]) -> Part:
    """Each step's calls with their share of the first."""
    first = steps[0].calls if steps else 0
    return _bars([_counted_bar(step, first) for step in steps], len(steps))


def loss_bars(losses: Losses) -> Part:
    """Reasons with the share of the lost calls that had them; the unexplained ones last."""
    rest = FunnelStep("Ничего из перечисленного", losses.unexplained)
    reasons = [*losses.reasons, *([rest] if rest.calls else [])]
    return _bars([_counted_bar(reason, losses.calls) for reason in reasons], len(reasons))


def heat_table(heat: Sequence[Sequence[int]], period: DayRange) -> Part:
    """Weekday × hour, the working day or wider. `rows`: count, share of the busiest.

    A period shorter than a week has only its own weekdays.
    """
    days = {day.weekday() for day in islice(period, WEEKDAYS)}
    busy = [hour for row in heat for hour, count in enumerate(row) if count]
    if not busy:
        return {"hours": [], "rows": []}
    hours = range(min(*busy, _OPENS), max(*busy, _CLOSES - 1) + 1)
    top = max(max(row) for row in heat)
    return {
        "hours": [str(hour) for hour in hours],
        "rows": [
            {
                "name": ru.WEEKDAY_NAMES[weekday],
                "cells": [{"count": row[hour], "share": row[hour] / top} for hour in hours],
            }
            for weekday, row in enumerate(heat)
            if weekday in days or any(row)
        ],
    }


def _whose(group: Group) -> str:
    """The name with the clinic below it where there are several: names are often alike."""
    return "\n".join(mark(name) for name in (group.name, group.clinic) if name)


def _counted_bar(step: FunnelStep, total: int) -> tuple[str, str, float, Tone]:
    share = _share(step.calls, total)
    return step.name, f"{ru.integer(step.calls)} · {ru.percent(share)}", share, "plain"


def _bars(rows: Iterable[tuple[str, str, float, Tone]], total: int) -> Part:
    drawn = [
        {"label": name, "value": value, "share": share, "tone": tone}
        for name, value, share, tone in rows
    ]
    hidden = total - len(drawn)
    return {"rows": drawn, "note": f"И ещё {hidden} — в таблице отчёта" if hidden > 0 else ""}


def _share(value: float, top: float) -> float:
    return value / top if top else 0.0
