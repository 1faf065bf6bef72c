"""Who of the speakers is the clinic's administrator (contract 5.4, field.md 1). Pure.

A provider that names roles is believed. Otherwise phrases decide, for channels too: which side of
a stereo recording is the clinic differs from PBX to PBX, so left is never assumed. Nothing
depends on the labels themselves: swapped labels give the same people the same roles.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medai.calls.models import Direction
from medai.transcription import phrases
from medai.transcription.models import Role, Transcript, Utterance
from medai.transcription.utterances import Turn, is_channel

_PROVIDER_ROLES = {"agent": Role.ADMINISTRATOR, "customer": Role.PATIENT}
_SWAPPED = {Role.ADMINISTRATOR: Role.PATIENT, Role.PATIENT: Role.ADMINISTRATOR}

_OPENING_TURNS = 3
_CLOSING_TURNS = 3
_MOST_WORDS = 0.6
"""Share of all words that marks the one who explains (contract 5.4)."""

_GREETS_AS_CLINIC = 3.0
_GREETS_FIRST = 1.0
_EXPECTED_FIRST = 1.5
_ANSWERS_OUR_CALL = 1.5
_TALKS_MOST = 0.5
_SAYS_FAREWELL = 1.0
_CERTAINTY_SCALE = 4.0
"""Margin of points at which the confidence is about 0.82; no margin means 0.5, a coin toss."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The role of each label, how sure we are (0-1) and what decided."""

    of: Mapping[str, Role]
    confidence: float
    source: Literal["channels", "provider", "phrases"]


def assign_roles(turns: Sequence[Turn], direction: Direction) -> Roles:
    """Roles of all labels found in the turns. No turns give no roles and no confidence."""
    labels = tuple(dict.fromkeys(turn.speaker for turn in turns))
    if not labels:
        return Roles({}, 0.0, "phrases")
    if not set(labels).isdisjoint(_PROVIDER_ROLES):
        return Roles({one: _PROVIDER_ROLES.get(one, Role.OTHER) for one in labels}, 1.0, "provider")
    points = {label: _points(label, turns, direction) for label in labels}
    source: Literal["channels", "phrases"] = (
        "channels" if all(map(is_channel, labels)) else "phrases"
    )
    return Roles(_by_points(points, turns), _confidence(points), source)


def with_roles(turns: Sequence[Turn], roles: Roles) -> tuple[Utterance, ...]:
    """The turns as utterances."""
    return tuple(
        Utterance(
            speaker=turn.speaker,
            role=roles.of[turn.speaker],
            start_ms=turn.start_ms,
            end_ms=turn.end_ms,
            text=turn.text,
        )
        for turn in turns
    )


def swap_roles(transcript: Transcript) -> Transcript:
    """Administrator and patient exchanged by a person's decision; others stay."""
    swapped = tuple(
        one.model_copy(update={"role": _SWAPPED.get(one.role, one.role)})
        for one in transcript.utterances
    )
    return transcript.model_copy(
        update={"utterances": swapped, "roles_source": "manual", "roles_confidence": 1.0}
    )


def _points(label: str, turns: Sequence[Turn], direction: Direction) -> float:
    """Above zero: sounds like an administrator; below: like a patient."""
    own = [turn for turn in turns if turn.speaker == label]
    said = phrases.normalised(" ".join(turn.text for turn in own))
    return (
        phrases.weight(said, phrases.ADMINISTRATOR)
        - phrases.weight(said, phrases.PATIENT)
        + _opening(label, turns, direction)
        + _conduct(label, turns, said)
    )


def _opening(label: str, turns: Sequence[Turn], direction: Direction) -> float:
    """Who picks up an incoming call is the clinic; who picks up an outgoing one is not."""
    first = turns[0].speaker == label
    start = [turn for turn in turns if turn.speaker == label][:_OPENING_TURNS]
    said = phrases.normalised(" ".join(turn.text for turn in start))
    greets = phrases.GREETING.search(said) is not None
    points = _GREETS_AS_CLINIC if greets and phrases.CLINIC.search(said) else 0.0
    points += _GREETS_FIRST if greets and first and direction != Direction.OUTBOUND else 0.0
    if direction != Direction.UNKNOWN:
        points += _EXPECTED_FIRST if first == (direction == Direction.INBOUND) else 0.0
    if direction == Direction.OUTBOUND and first and phrases.ANSWERING.search(said):
        points -= _ANSWERS_OUR_CALL
    return points


def _conduct(label: str, turns: Sequence[Turn], said: str) -> float:
    total = sum(len(turn.text.split()) for turn in turns)
    end = phrases.normalised(
        " ".join(turn.text for turn in turns[-_CLOSING_TURNS:] if turn.speaker == label)
    )
    # A lone speaker has all the words, which tells nothing.
    points = _TALKS_MOST if _MOST_WORDS * total < len(said.split()) < total else 0.0
    return points + (_SAYS_FAREWELL if phrases.FAREWELL.search(end) else 0.0)


def _by_points(points: Mapping[str, float], turns: Sequence[Turn]) -> dict[str, Role]:
    """The highest score is the administrator, the most talkative of the others the patient.

    A lone speaker is an administrator only with points above zero. `points` is in the order of
    first words, which decides between equals.
    """
    roles = dict.fromkeys(points, Role.OTHER)
    best = max(points, key=lambda label: points[label])
    if len(points) == 1:
        roles[best] = Role.ADMINISTRATOR if points[best] > 0 else Role.PATIENT
        return roles
    roles[best] = Role.ADMINISTRATOR
    others = [label for label in points if label != best]
    roles[max(others, key=lambda label: _words(label, turns))] = Role.PATIENT
    return roles


def _words(label: str, turns: Sequence[Turn]) -> int:
    return sum(len(turn.text.split()) for turn in turns if turn.speaker == label)


def _confidence(points: Mapping[str, float]) -> float:
    """0.5 for a tie, towards 1 as the best score leaves the second behind."""
    ordered = sorted(points.values(), reverse=True)
    margin = ordered[0] - ordered[1] if len(ordered) > 1 else abs(ordered[0])
    return round(1 - 0.5 * math.exp(-margin / _CERTAINTY_SCALE), 2)
