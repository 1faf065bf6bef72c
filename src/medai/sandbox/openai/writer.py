"""An answer in any JSON schema: known properties are filled with the truth, others sensibly."""

from dataclasses import replace
from typing import Any

from medai.sandbox.openai import period
from medai.sandbox.openai.knowledge import KNOWN, Knowledge, advice, proof
from medai.sandbox.openai.schema_rules import resolved

Schema = dict[str, Any]

_CRITERION_MARKS = ("score", "applicable", "not_applicable")


def write(schema: Schema, knowledge: Knowledge) -> Any:
    """A value that fits the schema. Deterministic."""
    return _Writer(schema).value(schema, "", knowledge)


class _Writer:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def value(self, schema: Schema, name: str, known: Knowledge) -> Any:
        """The value of the property `name`."""
        schema = resolved(schema, self._root)
        if name in KNOWN:
            value = KNOWN[name](known)
            if _json_type(value) in self._types(schema):
                return value
        if "anyOf" in schema:
            return self.value(self._option(schema["anyOf"]), name, known)
        if schema.get("type") == "object":
            return self._object(schema, name, known)
        if schema.get("type") == "array":
            return self._array(schema, name, known)
        if schema.get("type") == "string" and (said := period.sentence(name, known)):
            return said
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
            return advice(known, schema.get("minItems", 0), schema.get("maxItems"))
        keys = resolved(items.get("properties", {}).get("key", {}), self._root).get("enum")
        if keys:
            return [self._keyed(items, key, known) for key in keys]
        if known.reading.means:
            return self._about_period(schema, items, name, known)
        return [self.value(items, name, known) for _ in range(schema.get("minItems", 0))]

    def _about_period(
        self, schema: Schema, items: Schema, name: str, known: Knowledge
    ) -> list[Any]:
        """The most frequent texts of the prompt as strings, numbers or objects of the two."""
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if items.get("type") == "object":
            chosen = period.chosen(known, least, most)
            return [self._object(items, name, replace(known, about=said)) for said in chosen]
        if items.get("type") == "integer":
            return [known.about.number] if known.about else []
        return period.texts(known, least, most)

    def _keyed(self, items: Schema, key: str, known: Knowledge) -> dict[str, Any]:
        return {**self._object(items, key, replace(known, criterion=key)), "key": key}

    def _evidence(self, items: Schema, known: Knowledge) -> list[Any]:
        found = proof(known)
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
