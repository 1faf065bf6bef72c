"""Which of thousands of recommendations the model reads: a fair sample of bounded size. Pure.

Calls are drawn by a hash of their id, so the draw depends neither on the order of calls nor on
the day it is repeated, and every call of an administrator has the same chance. Administrators take
turns: whoever answers most calls does not push the others out.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from medai.analysis.fence import one_line
from medai.kit.ids import stable_id
from medai.kit.text import shortened

PROMPT_TOKENS = 12_000
"""Most tokens of recommendations in one request."""
CHARS_PER_TOKEN = 2
"""Russian text has about three; two is on the safe side for every tokeniser."""
CALLS_PER_ADMINISTRATOR = 150
"""More than the prompt can hold even for a single administrator."""
LONGEST_TEXT = 400
_LINE_OVERHEAD = 48
"""Characters of a line besides its text: number, calls, administrators."""


@dataclass(slots=True)
class Advised:
    """A recommendation with how many sampled calls and administrators it was given to."""

    text: str
    calls: int = 0
    administrators: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the model reads: the most frequent first, from `calls` of the `offered` ones."""

    advice: tuple[Advised, ...]
    calls: int
    offered: int


@dataclass(order=True, slots=True)
class _Drawn:
    rank: int
    """Minus the hash: the heap drops the largest hash first."""
    texts: tuple[str, ...] = field(compare=False)


class Sampler:
    """Takes calls one by one, remembers a bounded number of them per administrator."""

    def __init__(self, per_administrator: int = CALLS_PER_ADMINISTRATOR) -> None:
        self._most = per_administrator
        self._drawn: defaultdict[str, list[_Drawn]] = defaultdict(list)
        self._offered = 0

    def add(self, call_id: str, administrator: str, texts: Sequence[str]) -> None:
        """Offer the recommendations of one call."""
        lines = tuple(line for text in texts if (line := shortened(one_line(text), LONGEST_TEXT)))
        if not lines:
            return
        self._offered += 1
        heap = self._drawn[administrator]
        heapq.heappush(heap, _Drawn(-int(stable_id("recommendations", call_id), 16), lines))
        if len(heap) > self._most:
            heapq.heappop(heap)

    def sample(self, tokens: int = PROMPT_TOKENS) -> Sample:
        """As many calls as fit into the budget, administrators in turn."""
        left = tokens * CHARS_PER_TOKEN
        found: dict[str, Advised] = {}
        calls = 0
        for administrator, drawn in self._in_turns():
            texts = {_form(text): text for text in drawn.texts}
            left -= sum(len(t) + _LINE_OVERHEAD for form, t in texts.items() if form not in found)
            if left < 0:
                break
            calls += 1
            for form, text in texts.items():
                entry = found.setdefault(form, Advised(text))
                entry.calls += 1
                entry.administrators.add(administrator)
        ordered = sorted(found.values(), key=lambda each: (-each.calls, each.text))
        return Sample(tuple(ordered), calls, self._offered)

    def _in_turns(self) -> Iterator[tuple[str, _Drawn]]:
        """The first call of everybody, then the second, and so on."""
        queues = {name: sorted(drawn, reverse=True) for name, drawn in sorted(self._drawn.items())}
        for turn in range(max(map(len, queues.values()), default=0)):
            for name, drawn in queues.items():
                if turn < len(drawn):
                    yield name, drawn[turn]


def _form(text: str) -> str:
    """Texts that differ only in case or the final stop are one."""
    return text.casefold().rstrip(".!; ")
