"""Type 3: the clinic calls back somebody who did not book."""

from medai.sandbox.world.phrases import call_back as phrases
from medai.sandbox.world.phrases import common
from medai.sandbox.world.phrases import first as steps
from medai.sandbox.world.scenes.common import (
    Course,
    greet,
    interject,
    objection,
    part,
    settle_name,
    visit_details,
)
from medai.sandbox.world.script import Script

_NAME_LEVELS = dict.fromkeys((0, 2, 8, 9, 10), phrases.NAME_EARLY)
_NAME_USES = {8: 1, 9: 2, 10: 3}
_EARLY = frozenset({8, 9, 10})


def play(script: Script, course: Course) -> None:
    """Greeting, reminder of the earlier contact, an offer, booking or next step, farewell."""
    booked = course.outcome == "booked"
    asked = script.level(_NAME_LEVELS)
    greet(script, course)
    script.say(phrases.ANSWERED)
    if asked in _EARLY:
        script.say(phrases.NAME_EARLY, "patient_name", asked)
    script.perform("appeal", phrases.APPEAL)
    script.perform("speech", common.SPEECH)
    script.say(phrases.OFFER)
    interject(script, course)
    objection(script, booked=booked)
    script.say(phrases.ACCEPT if booked else phrases.DECLINE)
    if asked == 2:
        script.say(phrases.NAME_LATE, "patient_name", asked)
    script.scores.setdefault("patient_name", 0)
    if booked:
        script.say(phrases.STEP_BOOKED, "next_step", 10)
    else:
        script.perform("next_step", steps.NEXT_STEP)
    visit_details(script, booked=booked)
    part(script)
    settle_name(script, _NAME_USES)
