"""Chart geometry: axes, series and fractions, computed here so that Typst only draws."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from medai.kit.days import week_start
from medai.reports import format_ru as ru
from medai.reports.models import DayPoint, Group
from medai.reports.pages.parts import Part, Tone, label

_MAX_TICKS = 5
_MAX_POINTS = 62
"""Two months of days; longer periods are drawn by week."""
_MAX_X_LABELS = 10
_MAX_BARS = 12
_OPENS, _CLOSES = 9, 18
"""Hours that the heat map always shows: fewer would stretch into stripes."""


def line_chart(days: Sequence[DayPoint]) -> Part:
    """Calls and bookings by day, or by week when there are too many days. Empty below 2 points."""
    by_week = len(days) > _MAX_POINTS
    points = _weekly(days) if by_week else list(days)
    highest = max((point.calls for point in points), default=0)
    step = _tick_step(highest)
    ticks = math.ceil(highest / step) or 1
    every = math.ceil(len(points) / _MAX_X_LABELS) or 1
    return {
        "unit": "неделям" if by_week else "дням",
        "top": step * ticks,
        "ticks": [ru.integer(step * index) for index in range(ticks + 1)],
        "labels": [
            ru.short_day(point.day) if index % every == 0 else ""
            for index, point in enumerate(points)
        ],
        "calls": [point.calls for point in points],
        "converted": [point.converted for point in points],
    }


def call_bars(groups: Sequence[Group]) -> Part:
    """Number of calls per group."""
    top = max((group.figures.calls for group in groups), default=0)
    return _bars(
        [
            (group.name, ru.integer(group.figures.calls), _share(group.figures.calls, top), "plain")
            for group in groups[:_MAX_BARS]
        ],
        len(groups),
    )


def minute_bars(groups: Sequence[Group]) -> Part:
    """Minutes of talk per group."""
    top = max((group.figures.seconds for group in groups), default=0)
    return _bars(
        [
            (
                group.name,
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
                f"{group.name} ·{ru.NBSP}{ru.integer(group.figures.calls)}",
                ru.percent(group.figures.conversion),
                group.figures.conversion or 0.0,
                "plain",
            )
            for group in chosen
        ],
        len(groups),
    )


def heat_table(heat: Sequence[Sequence[int]]) -> Part:
    """Weekday × hour, the working day or wider. `rows`: count, share of the busiest."""
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
        ],
    }


def _bars(rows: Iterable[tuple[str, str, float, Tone]], total: int) -> Part:
    drawn = [
        {"label": label(name), "value": value, "share": share, "tone": tone}
        for name, value, share, tone in rows
    ]
    hidden = total - len(drawn)
    return {"rows": drawn, "note": f"И ещё {hidden} — в таблице" if hidden > 0 else ""}


def _weekly(days: Iterable[DayPoint]) -> list[DayPoint]:
    weeks = []
    for monday, members in groupby(days, key=lambda point: week_start(point.day)):
        points = list(members)
        weeks.append(
            DayPoint(
                monday,
                sum(point.calls for point in points),
                sum(point.converted for point in points),
            )
        )
    return weeks


def _tick_step(highest: int) -> int:
    """The least of 1, 2, 5, 10, 20, … whose first `_MAX_TICKS` multiples reach the value."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * _MAX_TICKS >= highest:
                return factor * power
        power *= 10


def _share(value: float, top: float) -> float:
    return value / top if top else 0.0
