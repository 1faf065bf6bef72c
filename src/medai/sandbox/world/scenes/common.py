"""Parts of a conversation that several call types share."""

from dataclasses import dataclass

from medai.sandbox.world.phrases import Blocks, Levels, common
from medai.sandbox.world.script import Script

NOT_RESOLVED = frozenset({0, 2, 8})
_RESOLVED = frozenset({10})
_OBJECTION_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Course:
    """Where a conversation goes.

    `outcome`: "booked" or "open" for types 1-3, "confirmed", "moved" or "cancelled" for type 4.
    `introduces`: whether the administrator says her name. `asides`: blocks put in the middle.
    """

    outcome: str
    outbound: bool
    introduces: bool
    asides: Blocks = ()


def greet(script: Script, course: Course) -> None:
    """The administrator's first words; her name only when the course says so."""
    levels = common.GREETING_OUT if course.outbound else common.GREETING_IN
    named = common.INTRODUCING
    allowed = named if course.introduces else frozenset(levels) - named
    script.perform("greeting", levels, only=allowed)


def objection(script: Script, *, booked: bool) -> None:
    """Half of the patients object; a booking means that the objection was resolved."""
    if script.rng.random() > _OBJECTION_SHARE:
        script.scores["objection_handling"] = None
        return
    levels: Levels = script.rng.choice(common.OBJECTIONS)
    script.perform("objection_handling", levels, only=_RESOLVED if booked else NOT_RESOLVED)


def visit_details(script: Script, *, booked: bool) -> None:
    """Address and passport: said or forgotten after a booking, otherwise not applicable."""
    said = {"clinic_address": common.ADDRESS_GIVEN, "passport": common.PASSPORT_ASKED}
    for key, blocks in said.items():
        if not booked:
            script.scores[key] = None
        elif script.rng.random() < script.skill:
            script.say(blocks, key, 10)
        else:
            script.scores[key] = 0


def interject(script: Script, course: Course) -> None:
    """Questions and oddities in the middle of the conversation."""
    for block in course.asides:
        script.say((block,))


def part(script: Script) -> None:
    """The last words; a name known early is used there, so the warm form can take it."""
    warm = (script.scores.get("patient_name") or 0) >= 8 or script.rng.random() < script.skill
    script.say(common.FAREWELL if warm else common.FAREWELL_DRY)


def settle_name(script: Script, uses: dict[int, int]) -> None:
    """Use the patient's name as often as its score says; the score falls to what was possible.

    `uses`: score -> how often the name must be said, for scores that are graded by count.
    """
    wanted = script.scores["patient_name"]
    if wanted is None or wanted not in uses:
        return
    done = script.address_by_name(uses[wanted])
    script.scores["patient_name"] = max(s for s, n in uses.items() if n <= max(done, 1))
