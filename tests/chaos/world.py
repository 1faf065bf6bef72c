"""A day of many calls with short recordings of their own, for clinics that share nothing."""

import math
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from medai.sandbox.world.bulk import generate_bulk
from medai.sandbox.world.models import Dialogue, Line, SimCall, SimClinic, World

SPEED = 6
"""How many times faster people talk here: a recording is a tenth of a megabyte."""
_SHORTEST_SECONDS = 8
"""Calls under six seconds are not processed."""
_DIALOGUES = 10


def day_of_calls(*, seed: int, day: date, calls: int, clinics: int) -> World:
    """`calls` in all, spread evenly over the clinics; each call has a recording of its own."""
    own = [calls // clinics + (number < calls % clinics) for number in range(clinics)]
    return World(seed, day, tuple(_clinic(seed, day, *item) for item in enumerate(own)))


def _clinic(seed: int, day: date, number: int, calls: int) -> SimClinic:
    world = generate_bulk(
        seed=seed * 100 + number, day=day, calls=calls, shared_recordings=_DIALOGUES
    )
    (bulk,) = world.clinics
    subdomain = f"kill-clinic-{number + 1}"
    return replace(
        bulk,
        name=f"Клиника {number + 1}",
        subdomain=subdomain,
        client_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{subdomain}.{day}.medai.example")),
        account_id=bulk.account_id + number,
        calls=tuple(_own_recordings(subdomain, day, bulk.calls)),
    )


def _own_recordings(subdomain: str, day: date, calls: tuple[SimCall, ...]) -> Iterator[SimCall]:
    for number, call in enumerate(calls):
        assert call.dialogue is not None
        dialogue = _fast(call.dialogue, f"{subdomain}-{day:%m%d}-{number:04d}", number)
        duration = round(dialogue.seconds)
        yield replace(call, recording=dialogue.id, dialogue=dialogue, duration=duration)


def _fast(dialogue: Dialogue, name: str, number: int) -> Dialogue:
    """The same words in less time. The last one is `number` ms longer: recordings whose lines
    differ in anything differ in their bytes.
    """
    lines = [_fast_line(line) for line in dialogue.lines]
    lines[-1] = replace(lines[-1], end_ms=lines[-1].end_ms + number)
    seconds = float(max(_SHORTEST_SECONDS, math.ceil(lines[-1].end_ms / 1000)))
    return replace(dialogue, id=name, seconds=seconds, lines=tuple(lines))


def _fast_line(line: Line) -> Line:
    return replace(line, start_ms=line.start_ms // SPEED, end_ms=line.end_ms // SPEED)
