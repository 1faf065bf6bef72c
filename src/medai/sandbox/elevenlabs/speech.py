"""Dialogues as recognised words: every word has its share of its line's time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from medai.sandbox.world.models import Dialogue, Line, Speaker

_LOGPROB = -0.04
_CHANNELS: dict[Speaker, int] = {"administrator": 0, "patient": 1}
_ROLES: dict[Speaker, str] = {"administrator": "agent", "patient": "customer"}
UNKNOWN_SPEECH = "(песочница не распознаёт речь: отправьте запись из песочницы)"


@dataclass(frozen=True, slots=True)
class Labels:
    """How words are marked. `diarize` None of both: no speaker; `channels`: channel numbers."""

    diarize: bool = False
    roles: bool = False
    num_speakers: int | None = None
    channels: bool = False


def unknown(seconds: float) -> Dialogue:
    """One honest utterance over the whole length of a recording that the world does not have."""
    line = Line("administrator", UNKNOWN_SPEECH, 0, round(seconds * 1000))
    return Dialogue("unknown", 5, (line,), {}, {}, (), seconds, 1)


def words(lines: Iterable[Line], labels: Labels, granularity: str) -> list[dict[str, Any]]:
    """The words of all lines with `spacing` entries between them, in time order."""
    numbers: dict[Speaker, int] = {}
    found: list[dict[str, Any]] = []
    for line in sorted(lines, key=lambda spoken: spoken.start_ms):
        numbers.setdefault(line.speaker, len(numbers))
        marks = _marks(line.speaker, numbers[line.speaker], labels)
        if found:
            found.append(_spacing(found[-1], line.start_ms))
        found.extend(_line_words(line, marks))
    return [_timed(word, granularity) for word in found]


def _marks(speaker: Speaker, number: int, labels: Labels) -> dict[str, Any]:
    channel = _CHANNELS[speaker]
    if labels.channels:
        return {"speaker_id": f"speaker_{channel}", "channel_index": channel}
    if not labels.diarize:
        return {"speaker_id": None}
    if labels.num_speakers == 1:
        number = 0
    return {"speaker_id": _ROLES[speaker] if labels.roles else f"speaker_{number}"}


def _line_words(line: Line, marks: dict[str, Any]) -> Iterator[dict[str, Any]]:
    texts = line.text.split()
    letters = sum(map(len, texts)) + len(texts) - 1
    scale = (line.end_ms - line.start_ms) / max(letters, 1)
    place = 0
    for number, text in enumerate(texts):
        start, end = line.start_ms + place * scale, line.start_ms + (place + len(text)) * scale
        if number:
            yield _entry(" ", "spacing", start - scale, start, marks)
        yield _entry(text, "word", start, end, marks)
        place += len(text) + 1


def _entry(text: str, kind: str, start: float, end: float, marks: dict[str, Any]) -> dict[str, Any]:
    times = {"start": round(start / 1000, 3), "end": round(end / 1000, 3)}
    return {"text": text, **times, "type": kind, **marks, "logprob": _LOGPROB}


def _spacing(last: dict[str, Any], until_ms: int) -> dict[str, Any]:
    end = max(last["end"], until_ms / 1000)
    return {**last, "text": " ", "type": "spacing", "start": last["end"], "end": end}


def _timed(word: dict[str, Any], granularity: str) -> dict[str, Any]:
    if granularity == "none":
        return {**word, "start": None, "end": None}
    if granularity == "character":
        return {**word, "characters": _characters(word)}
    return word


def _characters(word: dict[str, Any]) -> list[dict[str, Any]]:
    start, text = word["start"], word["text"]
    step = (word["end"] - start) / len(text)
    return [
        {"text": sign, "start": round(start + n * step, 3), "end": round(start + (n + 1) * step, 3)}
        for n, sign in enumerate(text)
    ]
