"""Transcript files of the replaced system (contract 5.5) read back into utterances. Pure."""

import re
from collections.abc import Iterator

from medai.kit.text import clean
from medai.transcription.models import Role, Utterance

_TITLE = "Транскрипция звонка"
_SPOKEN = re.compile(
    r"\[(\d{1,4}):([0-5]\d)\] +(Менеджер|Клиент|Участник|Speaker|speaker)((?:[ _][^:\n]*?)?): ?(.*)"
)
_NUMBER = re.compile(r"(\d+)\)?$", re.ASCII)
_MANAGER, _CLIENT = "Менеджер", "Клиент"


def utterances_of(text: str, duration_seconds: int) -> tuple[Utterance, ...]:
    """What was said; empty for a file that is no transcript (an error text, contract 5.5 FIX).

    Files tell beginnings only, so an utterance ends where the next one begins.
    """
    if not text.lstrip("\ufeff \r\n").startswith(_TITLE):
        return ()
    spoken = list(_spoken(text))
    if not spoken:
        return ()
    ends = [start for start, _, _ in spoken[1:]] + [duration_seconds * 1000]
    return tuple(
        Utterance(
            speaker=_speaker(label),
            role=_role(label),
            start_ms=start,
            end_ms=max(start, end),
            text=said,
        )
        for (start, label, said), end in zip(spoken, ends, strict=True)
    )


def _spoken(text: str) -> Iterator[tuple[int, str, str]]:
    """(milliseconds, label, words); lines without a time belong to the one before."""
    begun: tuple[int, str] | None = None
    words: list[str] = []
    for line in text.splitlines():
        if found := _SPOKEN.match(line):
            if begun and any(words):
                yield *begun, " ".join(filter(None, words))
            start = (int(found[1]) * 60 + int(found[2])) * 1000
            begun, words = (start, found[3] + found[4]), [_words(found[5])]
        elif begun:
            words.append(_words(line))
    if begun and any(words):
        yield *begun, " ".join(filter(None, words))


def _words(line: str) -> str:
    return " ".join(clean(line).split())


def _role(label: str) -> Role:
    if label.startswith(_MANAGER):
        return Role.ADMINISTRATOR
    return Role.PATIENT if label.startswith(_CLIENT) else Role.OTHER


def _speaker(label: str) -> str:
    if label.startswith(_MANAGER):
        return "speaker_0"
    if label.startswith(_CLIENT):
        return "speaker_1"
    number = _NUMBER.search(label)
    return f"speaker_{number[1] if number else 2}"
