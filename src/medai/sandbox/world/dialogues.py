"""Dialogues with the scores a perfect judge would give (contract 7)."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from medai.sandbox.world.criteria import KEYS, judged_keys
from medai.sandbox.world.facts import Setting, facts
from medai.sandbox.world.judging import initiative, recommendations
from medai.sandbox.world.models import Dialogue
from medai.sandbox.world.scenes import call_back, confirmation, first, other, repeat
from medai.sandbox.world.scenes.common import Course
from medai.sandbox.world.script import Script
from medai.sandbox.world.timing import recording_seconds, timed

_SCENES: dict[int, Callable[[Script, Course], None]] = {
    1: first.play,
    2: repeat.play,
    3: call_back.play,
    4: confirmation.play,
    5: other.play,
}
_LOST = ("open", "cancelled")
_PROOF_OF_INITIATIVE = ("next_step", "appointment", "appeal", "expertise", "speech", "greeting")


@dataclass(frozen=True, slots=True)
class Brief:
    """What a dialogue is asked to be. `skill` 0-1 is the administrator's; `channels` 1 or 2."""

    id: str
    call_type_id: int
    setting: Setting
    course: Course
    skill: float
    channels: int


def compose(brief: Brief, rng: random.Random) -> Dialogue:
    """One conversation. Scores cover every key of the type but `patient_booking` (CRM decides)."""
    script = Script(rng, facts(brief.setting, rng), brief.skill)
    _SCENES[brief.call_type_id](script, brief.course)
    if brief.call_type_id != 5:
        _judge_initiative(script, brief)
    lines = timed([(spoken.speaker, spoken.text) for spoken in script.spoken], rng)
    scores = {key: script.scores[key] for key in judged_keys(brief.call_type_id)}
    return Dialogue(
        id=brief.id,
        call_type_id=brief.call_type_id,
        lines=lines,
        scores=scores,
        proof={key: script.proof[key] for key, score in scores.items() if score},
        recommendations=recommendations(scores) if scores else (),
        seconds=recording_seconds(lines),
        channels=brief.channels,
        introduced_as=brief.setting.administrator if brief.course.introduces else None,
        patient_voice=brief.setting.patient.voice,
    )


def _judge_initiative(script: Script, brief: Brief) -> None:
    """The derived score, proven by the line where the administrator led the talk on."""
    proven = next((key for key in _PROOF_OF_INITIATIVE if key in script.proof), None)
    lost = brief.course.outcome in _LOST
    criteria = len(KEYS[brief.call_type_id])
    score = initiative(script.scores, criteria=criteria, lost=lost) if proven else 0
    script.scores["initiative"] = score
    if proven and score:
        script.proof["initiative"] = script.proof[proven]
