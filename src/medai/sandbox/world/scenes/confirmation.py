"""Type 4: the clinic confirms a visit."""

from medai.sandbox.world.phrases import common
from medai.sandbox.world.phrases import confirmation as phrases
from medai.sandbox.world.scenes.common import (
    Course,
    greet,
    interject,
    objection,
    part,
    visit_details,
)
from medai.sandbox.world.script import Script


def play(script: Script, course: Course) -> None:
    """Greeting, reminder, the patient's answer; a cancelled visit needs a next step.

    The next step is judged on cancelled and moved visits only (contract 7).
    """
    greet(script, course)
    script.say(phrases.ANSWERED)
    if script.rng.random() < script.skill:
        script.say(phrases.NAME_ASKED, "patient_name", 10)
    else:
        script.scores["patient_name"] = 0
    script.perform("appeal", phrases.APPEAL)
    script.perform("speech", common.SPEECH)
    interject(script, course)
    _answer(script, course.outcome)
    visit_details(script, booked=course.outcome != "cancelled")
    part(script)


def _answer(script: Script, outcome: str) -> None:
    if outcome == "cancelled":
        script.say(phrases.CANCELLED)
        objection(script, booked=False)
        script.perform("next_step", phrases.NEXT_STEP)
        return
    script.scores["objection_handling"] = None
    if outcome == "moved":
        script.say(phrases.MOVED, "next_step", 10)
    else:
        script.say(phrases.CONFIRMED)
        script.scores["next_step"] = None
