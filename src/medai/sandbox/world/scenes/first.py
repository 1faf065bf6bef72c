"""Type 1: a first contact."""

from medai.sandbox.world.phrases import common
from medai.sandbox.world.phrases import first as phrases
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

_NAME_LEVELS = dict.fromkeys((0, 2, 4, 6, 8, 9, 10), common.ASK_NAME)
_NAME_USES = {8: 1, 9: 3, 10: 4}
_UNBOOKED_STEPS = frozenset({0, 2, 4, 6, 8, 10})
_PRESENTATIONS = {
    "service_presentation": phrases.SERVICE,
    "doctor_presentation": phrases.DOCTOR,
    "clinic_presentation": phrases.CLINIC,
}
_FORGOTTEN_AT_WORST = 0.5
_INCLUDED_PRICE_SCORE = (6, 8, 9, 10)
"""Price with what it includes, by how many of the three presentations came before (contract 7)."""


def play(script: Script, course: Course) -> None:
    """Greeting, need, presentations, price, doubts, booking or next step, farewell."""
    booked = course.outcome == "booked"
    asked = script.level(_NAME_LEVELS)
    greet(script, course)
    script.say(phrases.OPENING)
    script.perform("emotional_tone", common.TONE)
    _ask_name(script, asked, {8, 9, 10})
    script.perform("needs_identification", phrases.NEEDS)
    _ask_name(script, asked, {6})
    _present(script)
    _ask_name(script, asked, {4})
    script.perform("expertise", common.EXPERTISE)
    interject(script, course)
    objection(script, booked=booked)
    script.perform("speech", common.SPEECH)
    _book(script, asked) if booked else _leave_open(script)
    script.scores.setdefault("patient_name", 0)
    visit_details(script, booked=booked)
    part(script)
    settle_name(script, _NAME_USES)


def _ask_name(script: Script, asked: int, moments: set[int]) -> None:
    if asked in moments:
        script.say(common.ASK_NAME, "patient_name", asked)


def _present(script: Script) -> None:
    for key, levels in _PRESENTATIONS.items():
        forgotten = script.rng.random() < _FORGOTTEN_AT_WORST * (1 - script.skill)
        script.perform(key, levels, only=frozenset({0}) if forgotten else None)
    made = sum(1 for key in _PRESENTATIONS if script.scores[key])
    way = script.level({0: (), 2: (), 4: (), 10: ()})
    if way == 10:
        script.say(phrases.PRICE_INCLUDED, "price", _INCLUDED_PRICE_SCORE[made])
    elif way == 4:
        script.say(phrases.PRICE_PLAIN, "price", 4 if made else 0)
    elif way == 2:
        script.say(phrases.PRICE_FROM, "price", 2)
    else:
        script.say(phrases.PRICE_RANGE, "price", 0)


def _book(script: Script, asked: int) -> None:
    offered = script.perform("appointment", phrases.OFFER)
    script.say(phrases.ACCEPT if offered else phrases.INSIST)
    _ask_name(script, asked, {2})
    script.say(phrases.BOOKED, "next_step", 10)


def _leave_open(script: Script) -> None:
    if script.perform("appointment", phrases.OFFER):
        script.say(phrases.DECLINE)
    script.perform("next_step", phrases.NEXT_STEP, only=_UNBOOKED_STEPS)
