"""What the simulated model takes from a prompt: utterances, names, the booking mark, means."""

import re
from dataclasses import dataclass, field

_TIMED = re.compile(
    r"^\[(?P<number>\d+)\]\s+\d+:\d\d(?::\d\d)?\s+(?P<speaker>[^:\n]{1,40}):\s*(?P<text>.+)$", re.M
)
_PLAIN = re.compile(r"^\[(?P<number>\d+)\]\s+(?P<speaker>[^:\n]{1,40}):\s*(?P<text>.+)$", re.M)
_NAMED = re.compile(
    r"^\[\d+\]\s+(?P<first>[^\W\d_][\w-]*)(?:\s+(?P<last>[^\W\d_][\w-]*))?\s*$", re.M
)
_MEAN = re.compile(r"^- (?P<key>\w+) «[^»\n]+»: (?P<mean>\d+(?:[.,]\d+)?)", re.M)
_BOOKED = re.compile(r"запись на при[её]м есть", re.I)


@dataclass(frozen=True, slots=True)
class Said:
    """One numbered utterance of the prompt."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The data part of a prompt, understood. `names` are (first, last), last may be empty.

    `means` are the mean scores that a prompt about a whole period names, by criterion key.
    """

    utterances: tuple[Said, ...]
    names: tuple[tuple[str, str], ...]
    booked: bool
    means: dict[str, float] = field(default_factory=dict)


def read(data: str) -> Reading:
    """Find utterance lines (`[12] 01:05 Администратор: …`) and name lines (`[1] Анна Иванова`)."""
    lines = list(_TIMED.finditer(data)) or list(_PLAIN.finditer(data))
    first = lines[0].start() if lines else len(data)
    before = data[:first]
    return Reading(
        utterances=tuple(Said(int(line["number"]), line["text"].strip()) for line in lines),
        names=tuple((name["first"], name["last"] or "") for name in _NAMED.finditer(before)),
        booked=bool(_BOOKED.search(before)),
        means={m["key"]: float(m["mean"].replace(",", ".")) for m in _MEAN.finditer(before)},
    )
