"""Who was on the line: schedule, introduction and CRM, decided purely (contract 4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from medai.staff.models import Shift
from medai.staff.names import normalised, same_first_name

LOWEST_ACCEPTED_CONFIDENCE = 0.3
"""A guess of the model below this is no guess (contract 4.7)."""

_CRM_NAME_CONFIDENCE = 0.6
_SINGLE_SHIFT_CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Attribution:
    """The administrator's full name with a confidence of 0-1; None when nobody fits."""

    name: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class NameGuess:
    """What the transcript suggests: names as said on the line."""

    first_name: str
    last_name: str
    confidence: float


NOBODY = Attribution(None, 0.0)


def by_schedule(shifts: Sequence[Shift], guess: NameGuess | None, crm_name: str) -> Attribution:
    """The administrator of a clinic that attributes by schedule.

    Nobody scheduled: unknown. One: that person, no guess needed. Several: the guess if it is on
    the list, else the CRM's name if it is; never a name off the list.
    """
    if not shifts:
        return NOBODY
    if len(shifts) == 1:
        return Attribution(shifts[0].full_name, _SINGLE_SHIFT_CONFIDENCE)
    return _by_guess(shifts, guess) or _by_crm_name(shifts, crm_name) or NOBODY


def needs_guess(shifts: Sequence[Shift]) -> bool:
    """Whether the model has to be asked: only a choice between several people is worth it."""
    return len(shifts) > 1


def _by_guess(shifts: Sequence[Shift], guess: NameGuess | None) -> Attribution | None:
    if guess is None or not guess.first_name or guess.confidence < LOWEST_ACCEPTED_CONFIDENCE:
        return None
    fitting = [s for s in shifts if same_first_name(s.first_name, guess.first_name)]
    if guess.last_name:
        fitting = [s for s in fitting if normalised(s.last_name) == normalised(guess.last_name)]
    # Two namesakes on one shift: a first name alone proves neither of them.
    return Attribution(fitting[0].full_name, guess.confidence) if len(fitting) == 1 else None


def _by_crm_name(shifts: Sequence[Shift], crm_name: str) -> Attribution | None:
    words = normalised(crm_name).split()
    fitting = [
        s
        for s in shifts
        if normalised(s.full_name) == " ".join(words) or normalised(s.last_name) in words
    ]
    if len(fitting) != 1:
        return None
    return Attribution(fitting[0].full_name, _CRM_NAME_CONFIDENCE)
