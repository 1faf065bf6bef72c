"""Line charts: axes and points as fractions of the frame, so that Typst only draws."""

import math
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby, pairwise
from statistics import fmean

from medai.kit.days import week_start
from medai.reports import format_ru as ru
from medai.reports.models import CriteriaSection, DayPoint, NamedDays, OverallWeek
from medai.reports.pages.parts import Part, mark

_MAX_TICKS = 5
_MAX_POINTS = 62
"""Two months of days; longer periods are drawn by week."""
_MAX_X_LABELS = 10
_TOP_SERIES = 5
"""Contract 8.1, section 5; more lines than that cannot be told apart."""
_BEST_SCORE = 10
_WEEK = 7
Values = Sequence[float | None]


def line_chart(days: Sequence[DayPoint]) -> Part:
    """Calls and bookings by day, or by week when there are too many days."""
    named = (
        ("Звонки", [point.calls for point in days]),
        (ru.BOOKINGS, [point.converted for point in days]),
    )
    return _day_chart([point.day for point in days], named, area=True)


def trend_chart(days: Sequence[DayPoint]) -> Part:
    """Calls by day with the mean of up to seven days, from seven days on (contract 8.3)."""
    calls = [point.calls for point in days]
    named: list[tuple[str, Values]] = [("Звонки", calls)]
    if _WEEK <= len(days) <= _MAX_POINTS:
        windows = (calls[max(0, end - _WEEK) : end] for end in range(1, len(calls) + 1))
        named.append(("Среднее за 7 дней", [fmean(window) for window in windows]))
    return _day_chart([point.day for point in days], named, area=True)


def group_lines(days: Sequence[DayPoint], groups: Sequence[NamedDays]) -> Part:
    """Calls by day of the largest groups; the order of groups is by size already."""
    named = [(group.name, group.calls) for group in groups[:_TOP_SERIES]]
    return _day_chart([point.day for point in days], named)


def score_lines(weeks: Sequence[OverallWeek], sections: Sequence[CriteriaSection]) -> Part:
    """Overall score by week, of all calls and of each call type."""
    mondays = [week.monday for week in weeks]
    named: list[tuple[str, Values]] = [("Все звонки", [week.overall for week in weeks])]
    for section in sections:
        known = {week.monday: week.overall for week in section.weeks}
        named.append((section.call_type, [known.get(monday) for monday in mondays]))
    ticks = [str(score) for score in range(0, _BEST_SCORE + 1, 2)]
    return _chart("неделям", mondays, named, _BEST_SCORE, ticks)


def spark(values: Values) -> list[Part]:
    """A small line without axes on the scale of scores; empty below two points."""
    return _runs(values, _BEST_SCORE) if sum(value is not None for value in values) > 1 else []


def day_ticks(highest: float) -> tuple[int, list[str]]:
    """The end of an axis of counts, and its round labels from 0."""
    step = _tick_step(highest)
    ticks = math.ceil(highest / step) or 1
    return step * ticks, [ru.integer(step * index) for index in range(ticks + 1)]


def _day_chart(
    days: Sequence[date], named: Iterable[tuple[str, Values]], *, area: bool = False
) -> Part:
    by_week = len(days) > _MAX_POINTS
    series = [(name, _weekly(days, values) if by_week else list(values)) for name, values in named]
    points = list(dict.fromkeys(map(week_start, days))) if by_week else list(days)
    highest = max((value or 0 for _, values in series for value in values), default=0)
    top, ticks = day_ticks(highest)
    return _chart("неделям" if by_week else "дням", points, series, top, ticks, area=area)


def _chart(
    unit: str,
    points: Sequence[date],
    named: Sequence[tuple[str, Values]],
    top: float,
    ticks: list[str],
    *,
    area: bool = False,
) -> Part:
    """`drawn` is false below two points: a line needs them."""
    gaps = max(len(points) - 1, 1)
    every = math.ceil(len(points) / _MAX_X_LABELS) or 1
    return {
        "unit": unit,
        "drawn": len(points) > 1,
        "dots": len(points) <= _MAX_POINTS,
        "ticks": ticks,
        "labels": [
            {"at": index / gaps, "text": ru.short_day(point)}
            for index, point in enumerate(points)
            if index % every == 0
        ],
        "last": ru.short_day(points[-1]) if points else "",
        "series": [
            {"name": mark(name), "color": color, "area": area and color == 0,
             "runs": _runs(values, top)}
            for color, (name, values) in enumerate(named)
        ],
    }  # fmt: skip


def _runs(values: Values, top: float) -> list[Part]:
    """Unbroken stretches of known values, each as points (x, y) in fractions of the frame."""
    gaps = max(len(values) - 1, 1)
    known = [
        (index, value / top if top else 0.0)
        for index, value in enumerate(values)
        if value is not None
    ]
    starts = [0, *(n for n, (a, b) in enumerate(pairwise(known), 1) if b[0] - a[0] > 1), len(known)]
    return [
        {"points": [[index / gaps, value] for index, value in known[start:end]]}
        for start, end in pairwise(starts)
        if start < end
    ]


def _weekly(days: Sequence[date], values: Values) -> list[float | None]:
    pairs = zip(days, values, strict=True)
    weeks = groupby(pairs, key=lambda pair: week_start(pair[0]))
    return [sum(value or 0 for _, value in members) for _, members in weeks]


def _tick_step(highest: float) -> int:
    """The least of 1, 2, 5, 10, 20, … whose first `_MAX_TICKS` multiples reach the value."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * _MAX_TICKS >= highest:
                return factor * power
        power *= 10
