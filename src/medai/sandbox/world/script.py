"""A conversation being written: lines are added block by block, scores come with them."""

import random
import re
from dataclasses import dataclass, field
from typing import Final

from medai.sandbox.world.models import Speaker
from medai.sandbox.world.phrases import Blocks, Levels

_LINE: Final = re.compile(r"^(?P<who>[АП])(?P<proof>!?)(?P<name>~?): (?P<text>.+)$")


@dataclass(slots=True)
class _Spoken:
    speaker: Speaker
    text: str
    takes_name: bool


@dataclass(slots=True)
class Script:
    """Collects lines with the scores they earn.

    `skill` (0-1) draws the administrator's level on each criterion; `facts` fill the phrases.
    """

    rng: random.Random
    facts: dict[str, str]
    skill: float
    spoken: list[_Spoken] = field(default_factory=list)
    scores: dict[str, int | None] = field(default_factory=dict)
    proof: dict[str, int] = field(default_factory=dict)

    def say(self, blocks: Blocks, key: str | None = None, score: int | None = None) -> None:
        """Speak one of the blocks; its marked line proves `score` for criterion `key`."""
        if key is not None:
            self.scores[key] = score
        if not blocks:
            return
        for row in self.rng.choice(blocks).split("\n"):
            self._add(row, key if score else None)

    def level(self, levels: Levels, *, only: frozenset[int] | None = None) -> int:
        """A score among the levels, likelier near the administrator's skill."""
        offered = sorted(level for level in levels if only is None or level in only)
        weights = [max(0.04, 1 - 1.7 * abs(level / 10 - self.skill)) ** 2 for level in offered]
        return self.rng.choices(offered, weights)[0]

    def perform(self, key: str, levels: Levels, *, only: frozenset[int] | None = None) -> int:
        """Draw a level for the criterion and speak it. Returns the score."""
        score = self.level(levels, only=only)
        self.say(levels[score], key, score)
        return score

    def address_by_name(self, times: int) -> int:
        """Put the patient's name in front of up to `times` fitting lines after it was learnt."""
        known_from = self.proof["patient_name"] + 1
        fitting = [i for i, s in enumerate(self.spoken) if s.takes_name and i > known_from]
        chosen = sorted(self.rng.sample(fitting, min(times, len(fitting))))
        for index in chosen:
            text = self.spoken[index].text
            named = f"{self.facts['name']}, {text[:1].lower()}{text[1:]}"
            self.spoken[index].text = named
        return len(chosen)

    def _add(self, row: str, key: str | None) -> None:
        found = _LINE.match(row)
        if found is None:
            raise ValueError(f"not a spoken line: {row!r}")
        if found["proof"] and key is not None:
            self.proof[key] = len(self.spoken)
        speaker: Speaker = "administrator" if found["who"] == "А" else "patient"
        text = found["text"].format_map(self.facts)
        self.spoken.append(_Spoken(speaker, text, bool(found["name"])))
