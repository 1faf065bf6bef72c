"""Phrase rules on the sandbox's dialogues: whoever is wrong must at least be unsure."""

import pytest

from medai.calls.models import Direction
from medai.sandbox.world.models import Dialogue, World
from medai.transcription.models import Role
from medai.transcription.speakers import Roles, assign_roles
from medai.transcription.utterances import Turn

UNSURE = 0.8


@pytest.mark.parametrize("direction_known", [True, False])
def test_phrases_find_the_administrator(sandbox_world: World, direction_known: bool) -> None:
    judged = [
        (call.dialogue, roles(call.dialogue, call.direction if direction_known else "unknown"))
        for clinic in sandbox_world.clinics
        for call in clinic.calls
        if call.dialogue is not None
    ]
    wrong = [found for dialogue, found in judged if not right(dialogue, found)]
    assert len(judged) > 20
    assert len(wrong) <= len(judged) * 0.03
    assert all(found.confidence < UNSURE for found in wrong)


def roles(dialogue: Dialogue, direction: str) -> Roles:
    labels = {"patient": "channel_0", "administrator": "channel_1"}
    return assign_roles(
        [Turn(labels[one.speaker], one.start_ms, one.end_ms, one.text) for one in dialogue.lines],
        Direction(direction),
    )


def right(dialogue: Dialogue, found: Roles) -> bool:
    speakers = {one.speaker for one in dialogue.lines}
    return ("administrator" not in speakers or found.of["channel_1"] is Role.ADMINISTRATOR) and (
        "patient" not in speakers or found.of["channel_0"] is Role.PATIENT
    )
