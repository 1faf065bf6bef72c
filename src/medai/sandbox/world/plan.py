"""The day's calls before anybody is invented: what kind, how it goes, when."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MISSED, SHORT, NOTE_LINK = "missed", "short", "note_link"
NO_LINK, TALK, OUTSIDE = "no_link", "talk", "outside"
FEWEST_CALLS = 17
_MISSED, _SHORT = 3, 2
_WITHOUT_TALK = _MISSED + _SHORT + 3
"""Missed, short, one note-API link, one duplicate and one call without a link."""

_TYPES = (1, 2, 3, 4, 5, 1, 1, 2, 4, 1, 2, 3, 1)
_OUTCOMES = {
    1: ("booked", "open", "booked", "booked", "open"),
    2: ("booked", "booked", "open"),
    3: ("booked", "open"),
    4: ("confirmed", "moved", "cancelled", "confirmed"),
    5: ("open",),
}

MIDNIGHT, DUPLICATED, SHORT_NAME, STRANGER, FIRST_OF_PAIR, SECOND_OF_PAIR = range(6)
LONG, COMPANY, NO_LEAD = 6, 7, 8
"""Places among the talks that carry a peculiarity."""

_OPENS, _OPEN_MINUTES = time(9, 0), 12 * 60


@dataclass(slots=True)
class Planned:
    """One call to come. `place` counts the talks of the day, -1 for other kinds."""

    kind: str
    at: datetime
    place: int = -1
    call_type_id: int = 0
    outcome: str = "open"


def plan(day: date, tz: ZoneInfo, calls: int, rng: random.Random) -> list[Planned]:
    """`calls` calls of the day (one posted twice) and two just outside it, in no order.

    Raises ValueError for fewer than 17: the peculiarities would not find room.
    """
    if calls < FEWEST_CALLS:
        raise ValueError(f"a clinic's day needs at least {FEWEST_CALLS} calls")
    at = _moments(day, tz, calls, rng)
    planned = [_talk(place, next(at)) for place in range(calls - _WITHOUT_TALK)]
    kinds = [MISSED] * _MISSED + [SHORT] * _SHORT + [NOTE_LINK, NO_LINK]
    planned += [Planned(kind, next(at)) for kind in kinds]
    planned[MIDNIGHT].at = _local(day, time(0, rng.randrange(15, 50)), tz)
    soon = timedelta(seconds=rng.randrange(240, 540))
    planned[SECOND_OF_PAIR].at = planned[FIRST_OF_PAIR].at + soon
    outside = (
        _local(day - timedelta(1), time(23, 50), tz),
        _local(day + timedelta(1), time(0, 10), tz),
    )
    return planned + [Planned(OUTSIDE, moment, -1, 5) for moment in outside]


def _talk(place: int, at: datetime) -> Planned:
    call_type = _TYPES[place % len(_TYPES)]
    before = place // len(_TYPES) * _TYPES.count(call_type)
    nth = before + _TYPES[: place % len(_TYPES)].count(call_type)
    outcomes = _OUTCOMES[call_type]
    outcome = outcomes[nth % len(outcomes)]
    return Planned(TALK, at, place, call_type, "open" if place == FIRST_OF_PAIR else outcome)


def _moments(day: date, tz: ZoneInfo, count: int, rng: random.Random) -> Iterator[datetime]:
    opening = _local(day, _OPENS, tz)
    seconds = sorted(rng.sample(range(_OPEN_MINUTES * 60), count))
    rng.shuffle(seconds)
    return (opening + timedelta(seconds=s) for s in seconds)


def _local(day: date, moment: time, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, moment, tz).astimezone(UTC)
