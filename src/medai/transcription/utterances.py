"""Words into stretches of speech (contract 5.4). Pure."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from medai.transcription.models import Word

MAX_PAUSE_MS = 700
MAX_LENGTH_MS = 10_000
_SENTENCE_ENDS = (".", "!", "?", "…")
_CLOSING = "»”\")'"
_OPENING = "«„“\"('—–-"


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of speech whose speaker has no role yet. Times in milliseconds."""

    speaker: str
    start_ms: int
    end_ms: int
    text: str


def turns(words: Sequence[Word]) -> tuple[Turn, ...]:
    """All words as turns in time order.

    Channels are cut apart first, so that people who talk at once do not chop each other's
    sentences to single words; diarized words stay in the provider's order.
    """
    built = [[_turn(group) for group in _groups(line)] for line in _lines(words)]
    # The text breaks ties, not the label: swapped labels must give the same order.
    return tuple(heapq.merge(*built, key=lambda turn: (turn.start_ms, turn.end_ms, turn.text)))


def is_channel(speaker: str) -> bool:
    """Whether the label names a channel of a stereo recording."""
    return speaker.startswith("channel_")


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Each channel's words apart; everything else is one line of speech."""
    lines: dict[str, list[Word]] = {}
    for word in words:
        lines.setdefault(word.speaker if is_channel(word.speaker) else "", []).append(word)
    return list(lines.values())


def _groups(words: Iterable[Word]) -> list[list[Word]]:
    groups: list[list[Word]] = []
    for word in words:
        if groups and not _starts_anew(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _starts_anew(group: Sequence[Word], word: Word) -> bool:
    """The four borders of contract 5.4; a lone sign always stays with the word before it."""
    last = group[-1]
    if word.speaker != last.speaker:
        return True
    if not _is_speech(word.text):
        return False
    return (
        word.start_ms - last.end_ms > MAX_PAUSE_MS
        or word.end_ms - group[0].start_ms > MAX_LENGTH_MS
        or (_ends_sentence(last.text) and _is_capital(word.text))
    )


def _turn(group: Sequence[Word]) -> Turn:
    text = group[0].text
    for before, word in pairwise(group):
        glued = not _is_speech(word.text) and word.text[0] not in _OPENING
        opened = before.text[-1] in "«„“("
        text += word.text if glued or opened else f" {word.text}"
    return Turn(
        speaker=group[0].speaker,
        start_ms=group[0].start_ms,
        end_ms=max(word.end_ms for word in group),
        text=text,
    )


def _is_speech(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _ends_sentence(text: str) -> bool:
    """A closing sign, unless it belongs to an initial ("И. И. Иванов")."""
    bare = text.rstrip(_CLOSING)
    initial = bare.endswith(".") and len(bare) == len("И.") and bare[0].isupper()
    return bare.endswith(_SENTENCE_ENDS) and not initial


def _is_capital(text: str) -> bool:
    first = text.lstrip(_OPENING)[:1]
    return first.isupper()
