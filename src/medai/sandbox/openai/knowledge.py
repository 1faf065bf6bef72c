"""What the simulated model knows of a conversation, by the names that schemas ask it under."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from medai.sandbox.openai import names
from medai.sandbox.openai.memory import quoted
from medai.sandbox.openai.reading import Reading, Said
from medai.sandbox.world.models import Dialogue

_OTHER_TYPE = 5
_NOBODY_SAID = "скидка девяносто процентов только сегодня и только для вас"
_PRAISE = "Продолжайте в том же духе."


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the model knows while it writes. `criterion` is the one being judged at this place.

    `about` is the text of the prompt that is being generalised, in questions about a period.
    `spoiled` is the fault kind that bends values: schema_violation, wrong_evidence or empty.
    """

    reading: Reading
    dialogue: Dialogue | None
    spoiled: str = ""
    criterion: str = ""
    about: Said | None = None

    @property
    def score(self) -> int | None:
        """The criterion's true score, None when not applicable; the CRM's word on the booking."""
        if self.criterion == "patient_booking":
            return 10 if self.reading.booked else 0
        if self.dialogue is None:
            return 0
        return self.dialogue.scores.get(self.criterion, 0)


def proof(known: Knowledge) -> tuple[int, str] | None:
    """(utterance number, verbatim quote) for the criterion's positive score, None without one."""
    if known.spoiled == "wrong_evidence":
        return 1, _NOBODY_SAID
    line = known.dialogue.proof.get(known.criterion) if known.dialogue else None
    if known.dialogue is None or line is None or not known.score:
        return None
    found = quoted(known.dialogue.lines[line].text, known.reading.utterances)
    return (found.utterance, found.quote) if found else None


def advice(known: Knowledge, least: int, most: int | None) -> list[str]:
    """The dialogue's recommendations, filled up with praise to `least`, cut to `most`."""
    given = known.dialogue.recommendations if known.dialogue else ()
    return [*given, *[_PRAISE] * max(0, least - len(given))][:most]


def _call_type(known: Knowledge) -> Any:
    if known.spoiled == "schema_violation":
        return 9
    return known.dialogue.call_type_id if known.dialogue else _OTHER_TYPE


def _score(known: Knowledge) -> Any:
    return 11 if known.spoiled == "schema_violation" else known.score


def _comment(known: Knowledge) -> str:
    if known.dialogue is None:
        return "Такого разговора песочница не знает."
    if known.score is None:
        return "Повода для этого в разговоре не было."
    if known.score:
        return f"Оценка {known.score} по словам администратора."
    return "Администратор этого не сделал."


def _explanation(known: Knowledge) -> str:
    kind = known.dialogue.call_type_id if known.dialogue else _OTHER_TYPE
    return f"Тип {kind}: так следует из слов обеих сторон."


def _name(place: int) -> Any:
    def chosen(known: Knowledge) -> str | None:
        found = names.choose(known.dialogue, known.reading.names)
        return found.name[place] if found.name else None

    return chosen


def _confidence(known: Knowledge) -> float:
    if known.spoiled == "schema_violation":
        return 1.5
    return names.choose(known.dialogue, known.reading.names).confidence


KNOWN: dict[str, Callable[[Knowledge], Any]] = {
    "call_type_id": _call_type,
    "score": _score,
    "comment": _comment,
    "explanation": _explanation,
    "reasoning": _explanation,
    "applicable": lambda known: known.score is not None,
    "not_applicable": lambda known: known.score is None,
    "first_name": _name(0),
    "last_name": _name(1),
    "confidence": _confidence,
}
"""Property name -> its true value; used where the schema admits the value's type."""
