"""Documents as JSONB: a datetime becomes {"$date": milliseconds}, which the database can order."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_DATE_KEY = "$date"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LARGE = re.compile(r"\de\+\d")
_TEXT_OR_LARGE = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?e\+\d+')


def encode(value: Any) -> str:
    """JSON text of a storable value (see `documents.storable`).

    Large floats are spelled out with a decimal point: PostgreSQL would give "1e+16" back as an int.
    """
    text = json.dumps(value, ensure_ascii=False, default=_encode_other, separators=(",", ":"))
    return _TEXT_OR_LARGE.sub(_spelled, text) if _LARGE.search(text) else text


def canonical(value: Any) -> str:
    """One text for all equal values, whatever the order of their keys."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, default=_encode_other, separators=(",", ":")
    )


def decode(text: str) -> Any:
    """The value behind JSON text; moments are aware UTC datetimes again."""
    return json.loads(text, object_hook=_decode_object)


def _spelled(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else f"{float(found[0]):.1f}"


def _encode_other(value: Any) -> dict[str, int]:
    if isinstance(value, datetime):
        return {_DATE_KEY: (value - _EPOCH) // _MILLISECOND}
    raise TypeError(f"{type(value).__name__} cannot be stored in a document")


def _decode_object(found: dict[str, Any]) -> Any:
    if len(found) == 1 and _DATE_KEY in found:
        return _EPOCH + found[_DATE_KEY] * _MILLISECOND
    return found


def type_rank(value: Any) -> int:
    """Where values of this type stand in MongoDB's order of types; null and missing come first.

    `postgres_conditions.rank_of` computes the same number inside the database.
    """
    if value is None:
        return 0
    if isinstance(value, bool):
        return 5
    ranks: tuple[tuple[type | tuple[type, ...], int], ...] = (
        ((int, float), 1), (str, 2), (Mapping, 3), (list, 4), (datetime, 6),
    )  # fmt: skip
    return next(rank for kind, rank in ranks if isinstance(value, kind))
