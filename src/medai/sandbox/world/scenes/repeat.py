"""Type 2: a patient of the clinic calls again."""

from medai.sandbox.world.phrases import common
from medai.sandbox.world.phrases import first as steps
from medai.sandbox.world.phrases import repeat as phrases
from medai.sandbox.world.scenes.common import (
    Course,
    greet,
    interject,
    objection,
    part,
    settle_name,
)
from medai.sandbox.world.script import Script

_NAME_LEVELS = dict.fromkeys((0, 2, 8, 9, 10), common.ASK_NAME)
_NAME_USES = {8: 1, 9: 2, 10: 3}
_EARLY = frozenset({8, 9, 10})


def play(script: Script, course: Course) -> None:
    """Greeting, what it is about, the answer, a time or a next step, farewell."""
    booked = course.outcome == "booked"
    asked = script.level(_NAME_LEVELS)
    greet(script, course)
    script.say(phrases.OPENING)
    script.perform("emotional_tone", common.TONE)
    if asked in _EARLY:
        script.say(common.ASK_NAME, "patient_name", asked)
    script.perform("question_clarification", phrases.CLARIFY)
    script.perform("expertise", common.EXPERTISE)
    interject(script, course)
    objection(script, booked=booked)
    script.perform("speech", common.SPEECH)
    script.say(phrases.SLOT if booked else phrases.NO_SLOT)
    if asked == 2:
        script.say(common.ASK_NAME, "patient_name", asked)
    script.scores.setdefault("patient_name", 0)
    if booked:
        script.say(phrases.STEP_BOOKED, "next_step", 10)
    else:
        script.perform("next_step", steps.NEXT_STEP)
    part(script)
    settle_name(script, _NAME_USES)
