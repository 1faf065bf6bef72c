"""Counting calls: pure, independent of their order."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from zoneinfo import ZoneInfo

from medai.calls.models import Call, Direction
from medai.kit.days import DayRange
from medai.reports import format_ru as ru
from medai.reports.models import HOURS, WEEKDAYS, DayPoint, Group, KeyFigures, NamedDays


def key_figures(calls: Sequence[Call]) -> KeyFigures:
    """The sums behind every figure. Calls without analysis count, but have no score."""
    inbound = [call for call in calls if call.direction is Direction.INBOUND]
    outbound = [call for call in calls if call.direction is Direction.OUTBOUND]
    scores = [call.analysis.overall for call in calls if call.analysis and call.analysis.overall]
    speeds = [call.processing_speed_minutes for call in calls if call.processing_speed_minutes]
    return KeyFigures(
        calls=len(calls),
        inbound=len(inbound),
        outbound=len(outbound),
        converted=_converted(calls),
        inbound_converted=_converted(inbound),
        outbound_converted=_converted(outbound),
        seconds=sum(call.duration_seconds for call in calls),
        score_sum=math.fsum(scores),  # fsum: the same total in any order of calls
        scored=len(scores),
        speed_sum=sum(speeds),
        with_speed=len(speeds),
    )


def groups(
    calls: Iterable[Call],
    name_of: Callable[[Call], str],
    clinic_of: Callable[[Call], str] = lambda _: "",
) -> tuple[Group, ...]:
    """Figures per name (and clinic), most calls first, equal ones by name."""
    members: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        members[name_of(call), clinic_of(call)].append(call)
    found = (Group(name, key_figures(of), clinic) for (name, clinic), of in members.items())
    return tuple(
        sorted(
            found,
            key=lambda group: (-group.figures.calls, ru.alphabetical(group.name, group.clinic)),
        )
    )


def day_points(calls: Iterable[Call], period: DayRange) -> tuple[DayPoint, ...]:
    """Calls and conversions of every day of the period, days without calls included."""
    by_day: defaultdict[object, list[Call]] = defaultdict(list)
    for call in calls:
        by_day[call.business_day].append(call)
    return tuple(DayPoint(day, len(by_day[day]), _converted(by_day[day])) for day in period)


def named_days(
    calls: Iterable[Call], name_of: Callable[[Call], str], names: Iterable[Group], period: DayRange
) -> tuple[NamedDays, ...]:
    """Calls by day of each of the groups, in their order."""
    counts = Counter((name_of(call), call.business_day) for call in calls)
    return tuple(
        NamedDays(group.name, tuple(counts[group.name, day] for day in period)) for group in names
    )


def heat_map(
    calls: Iterable[Call], zone_of: Callable[[Call], ZoneInfo]
) -> tuple[tuple[int, ...], ...]:
    """Calls by weekday and hour of the moment they started, on the clinic's wall clock."""
    counts = [[0] * HOURS for _ in range(WEEKDAYS)]
    for call in calls:
        local = call.started_at.astimezone(zone_of(call))
        counts[local.weekday()][local.hour] += 1
    return tuple(tuple(row) for row in counts)


def _converted(calls: Iterable[Call]) -> int:
    return sum(call.converted for call in calls)
