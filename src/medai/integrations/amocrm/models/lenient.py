"""Reading of foreign JSON that never raises: a wrong type is an absent value (amocrm.md 11)."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from medai.kit.clock import from_unix

JsonObject = Mapping[str, Any]
"""A decoded JSON object as it came."""

_TOO_LARGE = 10**18
"""No id, time or duration is that large, and no store keeps a whole number beyond 64 bits."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]*)?")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2})")


def integer(value: object) -> int | None:
    """A whole number from a number or its text; fractions are cut. Booleans are not numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _TOO_LARGE else None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and abs(value) < _TOO_LARGE else None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    return None


def seconds(value: object) -> int:
    """A duration in seconds, never negative, from 61, "61", "61.4" or "1:01"; else 0."""
    if isinstance(value, str) and (clock := _CLOCK.fullmatch(value.strip())):
        hours, minutes, rest = (int(part or 0) for part in clock.groups())
        return hours * 3600 + minutes * 60 + rest
    return max(integer(value) or 0, 0)


def text(value: object) -> str:
    """Text from text or a number; everything else is empty."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def flag(value: object) -> bool | None:
    """True or False from JSON booleans, 0/1 and their text; None when neither."""
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "0": False, "false": False}.get(text(value).lower())


def moment(value: object) -> datetime | None:
    """Aware UTC time from unix seconds; None for null, zero and impossible times."""
    number = integer(value)
    if not number or number < 0:
        return None
    try:
        return from_unix(number)
    except (OverflowError, ValueError, OSError):
        return None


def mapping(value: object) -> JsonObject:
    """The object itself, or an empty one (PHP writes an empty object as [])."""
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> tuple[JsonObject, ...]:
    """The objects of a list; a bare object counts as a list of one."""
    if isinstance(value, Mapping):
        return (value,) if value else ()
    if isinstance(value, list | tuple):
        return tuple(item for item in value if isinstance(item, Mapping))
    return ()


def embedded(row: JsonObject, name: str) -> tuple[JsonObject, ...]:
    """The objects of `_embedded.<name>`."""
    return objects(mapping(row.get("_embedded")).get(name))


def embedded_ids(row: JsonObject, name: str) -> tuple[int, ...]:
    """The ids of `_embedded.<name>`, in their order."""
    found = (integer(item.get("id")) for item in embedded(row, name))
    return tuple(item for item in found if item is not None)


def parameters(value: object) -> dict[str, Any]:
    """Note parameters with lower-case keys from an object, a list of them, JSON text or null.

    amocrm.md 4.2: old notes hold null, a JSON string, a list, or upper-case keys.
    """
    if isinstance(value, str):
        value = _decoded(value)
    merged: dict[str, Any] = {}
    for item in objects(value):
        merged.update({str(key).lower(): part for key, part in item.items()})
    return merged


def _decoded(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
