"""An answer in any JSON schema: known properties are filled with the truth, others sensibly."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from medai.sandbox.openai import names
from medai.sandbox.openai.memory import quoted
from medai.sandbox.openai.reading import Reading
from medai.sandbox.openai.schema_rules import resolved
from medai.sandbox.world.models import Dialogue

Schema = dict[str, Any]

_OTHER_TYPE = 5
_NOBODY_SAID = "скидка девяносто процентов только сегодня и только для вас"
_PRAISE = "Продолжайте в том же духе."
_CRITERION_MARKS = ("score", "applicable", "not_applicable")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the model knows while it writes. `criterion` is the one being judged at this place.

    `spoiled` is the fault kind that bends values: schema_violation, wrong_evidence or empty.
    """

    reading: Reading
    dialogue: Dialogue | None
    spoiled: str = ""
    criterion: str = ""

    @property
    def score(self) -> int | None:
        """The criterion's true score, None when not applicable; the CRM's word on the booking."""
        if self.criterion == "patient_booking":
            return 10 if self.reading.booked else 0
        if self.dialogue is None:
            return 0
        return self.dialogue.scores.get(self.criterion, 0)


def write(schema: Schema, knowledge: Knowledge) -> Any:
    """A value that fits the schema. Deterministic."""
    return _Writer(schema).value(schema, "", knowledge)


class _Writer:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def value(self, schema: Schema, name: str, known: Knowledge) -> Any:
        """The value of the property `name`."""
        schema = resolved(schema, self._root)
        if name in _KNOWN:
            value = _KNOWN[name](known)
            if _json_type(value) in self._types(schema):
                return value
        if "anyOf" in schema:
            return self.value(self._option(schema["anyOf"]), name, known)
        if schema.get("type") == "object":
            return self._object(schema, name, known)
        if schema.get("type") == "array":
            return self._array(schema, name, known)
        return _plain(schema)

    def _types(self, schema: Schema) -> set[str]:
        """JSON types that the schema admits."""
        options = [resolved(each, self._root) for each in schema.get("anyOf", [schema])]
        named = [each.get("type", "string") for each in options]
        found = {kind for each in named for kind in (each if isinstance(each, list) else [each])}
        return found | ({"integer"} if "number" in found else set())

    def _option(self, options: list[Schema]) -> Schema:
        solid = [each for each in options if resolved(each, self._root).get("type") != "null"]
        return solid[0] if solid else options[0]

    def _object(self, schema: Schema, name: str, known: Knowledge) -> dict[str, Any]:
        properties: dict[str, Schema] = schema.get("properties", {})
        if not known.criterion and any(mark in properties for mark in _CRITERION_MARKS):
            known = replace(known, criterion=name)
        return {key: self.value(part, key, known) for key, part in properties.items()}

    def _array(self, schema: Schema, name: str, known: Knowledge) -> list[Any]:
        items = resolved(schema["items"], self._root)
        if name == "evidence":
            return self._evidence(items, known)
        if name == "recommendations":
            return _recommendations(schema, known)
        keys = resolved(items.get("properties", {}).get("key", {}), self._root).get("enum")
        if keys:
            return [self._keyed(items, key, known) for key in keys]
        return [self.value(items, name, known) for _ in range(schema.get("minItems", 0))]

    def _keyed(self, items: Schema, key: str, known: Knowledge) -> dict[str, Any]:
        return {**self._object(items, key, replace(known, criterion=key)), "key": key}

    def _evidence(self, items: Schema, known: Knowledge) -> list[Any]:
        found = _proof(known)
        if found is None:
            return []
        number, quote = found
        if items.get("type") == "string":
            return [quote]
        values = {"quote": quote, "text": quote, "utterance": number, "utterance_number": number}
        parts: dict[str, Schema] = items.get("properties", {})
        return [
            {
                key: values[key] if key in values else self.value(part, key, known)
                for key, part in parts.items()
            }
        ]


def _proof(known: Knowledge) -> tuple[int, str] | None:
    if known.spoiled == "wrong_evidence":
        return 1, _NOBODY_SAID
    line = known.dialogue.proof.get(known.criterion) if known.dialogue else None
    if known.dialogue is None or line is None or not known.score:
        return None
    found = quoted(known.dialogue.lines[line].text, known.reading.utterances)
    return (found.utterance, found.quote) if found else None


def _recommendations(schema: Schema, known: Knowledge) -> list[str]:
    given = known.dialogue.recommendations if known.dialogue else ()
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(given))
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


_KNOWN: dict[str, Callable[[Knowledge], Any]] = {
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


def _plain(schema: Schema) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(each for each in kind if each != "null")
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return {"string": "Нет данных", "boolean": False, "null": None}.get(str(kind))


def _json_type(value: Any) -> str:
    for python, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, python):
            return name
    return "null"
