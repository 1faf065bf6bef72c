"""Proof: is a quote really in the transcript, who said it, and when (field.md 3.2).

A quote counts when its words stand in the transcript one after another, unchanged. Case, ё/е,
punctuation and spacing do not matter: speech has none of them. A quote may cross the border of
utterances while the same speaker goes on, because one breath is often cut into several.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

from medai.analysis.models import Evidence
from medai.analysis.words import Word, words
from medai.transcription.models import Role, Transcript, Utterance

MIN_WORDS = 2
"""One word proves nothing: "да" is in every call."""

LOW_ROLES_CONFIDENCE = 0.7
"""Below it a speaker's role is a guess, so a person decides (field.md 4)."""


class Fault(Enum):
    """Why a quote is no proof."""

    TOO_SHORT = "too_short"
    NOT_FOUND = "not_found"
    WRONG_SPEAKER = "wrong_speaker"


@dataclass(frozen=True, slots=True)
class Found:
    """A quote that holds. `utterance` is its true number (from 1). `doubtful`: the words are the
    patient's by label, but the labels of this transcript are not to be trusted."""

    evidence: Evidence
    utterance: int
    doubtful: bool = False


class Quotes:
    """The words of one transcript, prepared once for many look-ups."""

    def __init__(self, transcript: Transcript) -> None:
        self._said = transcript.utterances
        self._roles_known = transcript.roles_confidence >= LOW_ROLES_CONFIDENCE
        self._index = _Index(_turns(transcript.utterances))

    def find(self, quote: str, utterance: int) -> Found | Fault:
        """The administrator's quote in the transcript, or why it does not count.

        `utterance` is the number the model named; a wrong number is corrected to the nearest
        place that holds the words. If the named utterance holds them, its speaker decides.
        """
        wanted = [word.form for word in words(quote)]
        spans = list(self._index.spans(wanted))
        if not spans:
            return Fault.NOT_FOUND
        span = min(spans, key=lambda each: self._preference(each, utterance - 1))
        if len(wanted) < MIN_WORDS and not self._is_whole(span):
            return Fault.TOO_SHORT
        return self._judged(span)

    def _judged(self, span: "_Span") -> Found | Fault:
        evidence = _evidence(self._said, span)
        doubtful = evidence.role is not Role.ADMINISTRATOR
        if doubtful and self._roles_known:
            return Fault.WRONG_SPEAKER
        return Found(evidence, utterance=span.first.utterance + 1, doubtful=doubtful)

    def _preference(self, span: "_Span", index: int) -> tuple[bool, bool, int]:
        """Least is best: the named place, then the administrator's words, then the nearest."""
        distance = max(span.first.utterance - index, index - span.last.utterance, 0)
        by_other = self._said[span.first.utterance].role is not Role.ADMINISTRATOR
        return distance > 0, by_other, distance

    def _is_whole(self, span: "_Span") -> bool:
        return len(words(self._said[span.first.utterance].text)) == 1


@dataclass(frozen=True, slots=True)
class _Place:
    """A word and the utterance (from 0) it stands in."""

    utterance: int
    word: Word


@dataclass(frozen=True, slots=True)
class _Span:
    first: _Place
    last: _Place


class _Index:
    """Where each word of a transcript stands, so that a look-up reads only likely places."""

    def __init__(self, turns: Iterable[list[_Place]]) -> None:
        self._starts: dict[str, list[tuple[list[_Place], int]]] = defaultdict(list)
        for turn in turns:
            for position, place in enumerate(turn):
                self._starts[place.word.form].append((turn, position))

    def spans(self, wanted: list[str]) -> Iterator[_Span]:
        """Everywhere the wanted words stand in this order, without a gap, within one turn."""
        for turn, position in self._starts.get(wanted[0], ()) if wanted else ():
            places = turn[position : position + len(wanted)]
            if [place.word.form for place in places] == wanted:
                yield _Span(places[0], places[-1])


def _turns(said: Sequence[Utterance]) -> Iterator[list[_Place]]:
    """Words of each uninterrupted stretch of one speaker, over one or more utterances."""
    for _, turn in groupby(enumerate(said), key=lambda each: (each[1].speaker, each[1].role)):
        yield [_Place(index, word) for index, each in turn for word in words(each.text)]


def _evidence(said: Sequence[Utterance], span: _Span) -> Evidence:
    """The transcript's own words, not the model's spelling of them."""
    first, last = said[span.first.utterance], said[span.last.utterance]
    return Evidence(
        quote=_text(said, span),
        role=first.role,
        start_ms=_moment(first, span.first.word.begin),
        end_ms=_moment(last, span.last.word.end),
    )


def _text(said: Sequence[Utterance], span: _Span) -> str:
    begin, end = span.first, span.last
    if begin.utterance == end.utterance:
        return said[begin.utterance].text[begin.word.begin : end.word.end]
    between = (each.text.strip() for each in said[begin.utterance + 1 : end.utterance])
    head = said[begin.utterance].text[begin.word.begin :].rstrip()
    tail = said[end.utterance].text[: end.word.end].lstrip()
    return " ".join(piece for piece in (head, *between, tail) if piece)


def _moment(utterance: Utterance, offset: int) -> int:
    """Milliseconds at a character: speech is taken to flow evenly through its utterance."""
    span = utterance.end_ms - utterance.start_ms
    return utterance.start_ms + round(span * offset / len(utterance.text))
