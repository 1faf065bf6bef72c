"""JSON of somebody else, made fit to be shown as it came."""

import math
from collections.abc import Mapping
from typing import Any

from medai.kit.text import clean

_DEEPEST = 20
"""No answer of a CRM is nested so deep; what lies below is left out."""


def presentable(value: object, *, depth: int = 0) -> Any:
    """The same JSON without characters that cannot be encoded, NaN, infinities and depths."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {clean(str(key)): presentable(part, depth=depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [presentable(part, depth=depth + 1) for part in value]
    return value
