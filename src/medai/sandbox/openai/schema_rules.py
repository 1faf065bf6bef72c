"""What strict structured output refuses in a JSON schema (openai.md 4)."""

import re
from collections.abc import Iterator
from typing import Any

from medai.sandbox.openai.errors import ApiRefusedError

_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
_FORBIDDEN = frozenset(
    {
        *("default", "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired"),
        *("prefixItems", "patternProperties", "propertyNames", "unevaluatedProperties"),
        *("minLength", "maxLength", "uniqueItems", "contains", "minProperties", "maxProperties"),
    }
)
_DEEPEST = 10
_MOST_PROPERTIES = 5000


def check_schema(name: Any, schema: Any, param: str) -> None:
    """Raise ApiRefusedError (400) unless the schema is accepted in strict mode."""
    if not isinstance(name, str) or not _NAME.match(name):
        raise ApiRefusedError(400, "Invalid schema name", code="invalid_value", param=param)
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise _invalid(name, (), "schema must be of type 'object'", param)
    properties = 0
    for context, part in _parts(schema, ()):
        if (complaint := _complaint(part, schema)) is not None:
            raise _invalid(name, context, complaint, param)
        properties += len(part.get("properties", {}))
    if properties > _MOST_PROPERTIES or _depth(schema, schema) > _DEEPEST:
        raise _invalid(name, (), "too many properties or levels", param)


def resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or what its local `$ref` points to. Raises KeyError."""
    while "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target
    return schema


def _parts(schema: Any, context: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every sub-schema, each once, with the way to it."""
    if not isinstance(schema, dict):
        return
    yield context, schema
    for group in ("properties", "$defs", "definitions"):
        for key, part in schema.get(group, {}).items():
            yield from _parts(part, (*context, group, key))
    yield from _parts(schema.get("items"), (*context, "items"))
    for number, part in enumerate(schema.get("anyOf", ())):
        yield from _parts(part, (*context, "anyOf", str(number)))


def _complaint(part: dict[str, Any], root: dict[str, Any]) -> str | None:
    found = sorted(_FORBIDDEN & part.keys())
    if found:
        return f"'{found[0]}' is not permitted"
    if "$ref" in part:
        return _reference_complaint(part, root)
    if part.get("type") == "object":
        return _object_complaint(part)
    if part.get("type") == "array" and "items" not in part:
        return "array schema missing items"
    if not {"type", "anyOf", "enum", "const"} & part.keys():
        return "schema must have a 'type' key"
    return None


def _reference_complaint(part: dict[str, Any], root: dict[str, Any]) -> str | None:
    if part.keys() != {"$ref"}:
        return "$ref cannot have keywords"
    try:
        resolved(part, root)
    except (KeyError, TypeError):
        return "reference can only point to definitions of this schema"
    return None


def _object_complaint(part: dict[str, Any]) -> str | None:
    if part.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false"
    missing = set(part.get("properties", {})) ^ set(part.get("required", ()))
    if missing:
        return f"'required' must name every key in properties: {sorted(missing)[0]!r}"
    return None


def _depth(schema: dict[str, Any], root: dict[str, Any], level: int = 0) -> int:
    if level > _DEEPEST:
        return level
    schema = resolved(schema, root)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    if isinstance(schema.get("items"), dict):
        inner.append(schema["items"])
    step = int(schema.get("type") in ("object", "array"))
    return max((_depth(part, root, level + step) for part in inner), default=level)


def _invalid(name: str, context: tuple[str, ...], complaint: str, param: str) -> ApiRefusedError:
    return ApiRefusedError(
        400,
        f"Invalid schema for response_format '{name}': In context={context}, {complaint}.",
        code="invalid_json_schema",
        param=param,
    )
