"""Who answers which call, how she presents herself, and the words that follow."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from medai.sandbox.world import plan as plans
from medai.sandbox.world.dialogues import Brief, compose
from medai.sandbox.world.facts import Setting
from medai.sandbox.world.models import Dialogue
from medai.sandbox.world.people import Person
from medai.sandbox.world.phrases import common
from medai.sandbox.world.plan import Planned
from medai.sandbox.world.profiles import Colleague, Profile
from medai.sandbox.world.scenes.common import Course

_LONGEST_SECONDS = 85
_TRIES = 60
_INTRODUCES = 0.75
_STRANGER_NAME = "Снежана"
_OUTBOUND = (3, 4)
"""Call types in which the clinic rings."""


@dataclass(frozen=True, slots=True)
class Role:
    """An administrator on a call, the name she would give, and how the call goes."""

    colleague: Colleague
    said_name: str
    course: Course


class Signatures:
    """Remembers the lines of a world so that each dialogue keeps one that no other has."""

    def __init__(self) -> None:
        self._owners: dict[str, set[str]] = {}
        self._own_lines: Counter[str] = Counter()

    def accept(self, dialogue: Dialogue) -> bool:
        """Take the dialogue if it has a line of its own and leaves every other one of theirs."""
        texts = {line.text for line in dialogue.lines}
        taken = Counter(
            owner
            for text in texts
            if len(found := self._owners.get(text, set())) == 1
            for owner in found
        )
        robbed = any(self._own_lines[owner] <= count for owner, count in taken.items())
        new = sum(1 for text in texts if text not in self._owners)
        if robbed or new == 0:
            return False
        self._own_lines.subtract(taken)
        self._own_lines[dialogue.id] = new
        for text in texts:
            self._owners.setdefault(text, set()).add(dialogue.id)
        return True


class Casting:
    """Casts one clinic's calls. `signatures` is shared by the clinics of a world."""

    def __init__(
        self, profile: Profile, signatures: Signatures, oddity: str, rng: random.Random
    ) -> None:
        self._profile = profile
        self._signatures = signatures
        self._oddity = oddity
        self._rng = rng
        self._told = 0

    def colleague(self) -> Colleague:
        """Somebody who is on shift."""
        return self._rng.choice([c for c in self._profile.colleagues if c.on_shift])

    def cast(self, item: Planned) -> Role:
        """The administrator for a planned talk and the course of the talk."""
        colleague = self.colleague()
        name, introduces = colleague.first_name, self._rng.random() < _INTRODUCES
        if self._profile.attribution == "ai_schedule" and item.place == plans.SHORT_NAME:
            colleague = next(c for c in self._profile.colleagues if c.short_name)
            name, introduces = colleague.short_name or name, True
        if self._profile.attribution == "ai_schedule" and item.place == plans.STRANGER:
            name, introduces = _STRANGER_NAME, True
        course = Course(
            item.outcome, item.call_type_id in _OUTBOUND, introduces, self._asides(item)
        )
        return Role(colleague, name, course)

    def written_administrator(self, item: Planned, colleague: Colleague) -> str | None:
        """What the lead's field says: the right name, another's (schedule clinics) or nothing."""
        if item.place in (plans.DUPLICATED, plans.STRANGER):
            return None
        chance = self._rng.random()
        if self._profile.attribution == "amocrm":
            return colleague.full_name if chance < 0.7 else None
        if chance < 0.5:
            return f"{colleague.last_name} {colleague.first_name}"
        return self._profile.colleagues[-1].full_name if chance < 0.75 else None

    def play(self, item: Planned, role: Role, who: Person) -> Dialogue:
        """The conversation, unlike any other of the world and not longer than 85 seconds.

        Raises RuntimeError when chance does not find one: the phrases are too few.
        """
        self._told += 1
        for _ in range(_TRIES):
            dialogue = compose(self._brief(item, role, who), self._rng)
            fits = dialogue.seconds <= _LONGEST_SECONDS or item.place == plans.LONG
            if fits and self._signatures.accept(dialogue):
                return dialogue
        raise RuntimeError(f"no new dialogue of type {item.call_type_id} found")

    def _brief(self, item: Planned, role: Role, who: Person) -> Brief:
        profile = self._profile
        topic = self._rng.choice(profile.topics)
        return Brief(
            id=f"{profile.subdomain}-{self._told:03d}",
            call_type_id=item.call_type_id,
            setting=Setting(profile.name, profile.address, role.said_name, who, topic),
            course=role.course,
            skill=role.colleague.skill,
            channels=1 if self._told % 3 == 0 else 2,
        )

    def _asides(self, item: Planned) -> tuple[str, ...]:
        if item.place == plans.LONG:
            return tuple(_shuffled(common.ASIDES, self._rng))
        return (self._oddity,) if item.place == plans.SECOND_OF_PAIR else ()


def _shuffled(blocks: Iterable[str], rng: random.Random) -> list[str]:
    mixed = list(blocks)
    rng.shuffle(mixed)
    return mixed
