"""How the simulated model knows a conversation again, however its lines were cut or joined."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from medai.sandbox.openai.reading import Said
from medai.sandbox.world.models import Dialogue, World

_WORD = re.compile(r"[^\W_]+")
_RUN = 3
"""Words in a row that count as one trace of a dialogue."""
_SURE = 0.3
"""Least likeness (Dice, 0-1) for a conversation to be known."""
_LONGEST_QUOTE = 14

Trace = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words that stand in one utterance of the prompt, letter by letter."""

    utterance: int
    quote: str


class Memory:
    """All dialogues of the world by their traces."""

    def __init__(self, dialogues: Iterable[Dialogue]) -> None:
        self._dialogues = {dialogue.id: dialogue for dialogue in dialogues}
        self._sizes: dict[str, int] = {}
        self._index: dict[Trace, list[str]] = defaultdict(list)
        for dialogue in self._dialogues.values():
            traces = set(_traces(line.text for line in dialogue.lines))
            self._sizes[dialogue.id] = len(traces)
            for trace in traces:
                self._index[trace].append(dialogue.id)

    def recognise(self, utterances: Iterable[Said]) -> Dialogue | None:
        """The dialogue most like the utterances, None when none is like enough."""
        traces = set(_traces(said.text for said in utterances))
        hits = Counter(name for trace in traces for name in self._index.get(trace, ()))
        if not hits:
            return None
        likeness = {
            name: 2 * count / (len(traces) + self._sizes[name]) for name, count in hits.items()
        }
        best = min(likeness, key=lambda name: (-likeness[name], name))
        return self._dialogues[best] if likeness[best] >= _SURE else None


def dialogues(world: World) -> Iterator[Dialogue]:
    """Every conversation of the world; one that several calls share comes several times."""
    for clinic in world.clinics:
        yield from (call.dialogue for call in clinic.calls if call.dialogue is not None)


def quoted(line: str, utterances: Iterable[Said]) -> Quoted | None:
    """The longest run of the line's words inside one utterance, as that utterance spells it."""
    wanted = _forms(line)
    best: tuple[int, Said, int] | None = None
    for said in utterances:
        match = SequenceMatcher(None, wanted, _forms(said.text), autojunk=False)
        found = match.find_longest_match()
        if found.size and (best is None or found.size > best[0]):
            best = (found.size, said, found.b)
    if best is None:
        return None
    size, said, start = best
    words = list(_WORD.finditer(said.text))[start : start + min(size, _LONGEST_QUOTE)]
    return Quoted(said.number, said.text[words[0].start() : words[-1].end()])


def _traces(texts: Iterable[str]) -> Iterator[Trace]:
    words = [form for text in texts for form in _forms(text)]
    if len(words) < _RUN:
        yield tuple(words)
    for start in range(len(words) - _RUN + 1):
        yield tuple(words[start : start + _RUN])


def _forms(text: str) -> list[str]:
    return [word.group().casefold().replace("ё", "е") for word in _WORD.finditer(text)]
