"""When each line is spoken: an estimate from its letters, the truth for every audio maker."""

import math
import random
from collections.abc import Sequence

from medai.sandbox.world.models import Line, Speaker

_MS_PER_CHARACTER = 56
_SHORTEST_LINE_MS = 700
_LONGEST_LINE_MS = 9_800
"""Below the 10 s at which the product splits an utterance (contract 5.4)."""

_LEAD_IN_MS = 400
_PAUSE_MS = (300, 600)
_LEAD_OUT_MS = 500


def timed(texts: Sequence[tuple[Speaker, str]], rng: random.Random) -> tuple[Line, ...]:
    """The lines one after another, 300-600 ms of silence between them.

    Raises ValueError for a line that would last 10 seconds or more: shorten the phrase.
    """
    lines: list[Line] = []
    start = _LEAD_IN_MS
    for speaker, text in texts:
        length = _spoken_ms(text)
        lines.append(Line(speaker, text, start, start + length))
        start += length + rng.randrange(*_PAUSE_MS, 10)
    return tuple(lines)


def recording_seconds(lines: Sequence[Line]) -> float:
    """The recording's length: a whole number of seconds, so that CRM and audio agree."""
    return float(math.ceil((lines[-1].end_ms + _LEAD_OUT_MS) / 1000))


def _spoken_ms(text: str) -> int:
    length = max(_SHORTEST_LINE_MS, len(text) * _MS_PER_CHARACTER)
    if length > _LONGEST_LINE_MS:
        raise ValueError(f"line too long to speak in one breath: {len(text)} characters")
    return length
