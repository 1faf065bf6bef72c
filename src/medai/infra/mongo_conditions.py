"""Conditions of the document port in MongoDB's query language.

MongoDB looks inside arrays: `{"a": 5}` also finds `{"a": [5]}`, and a null filter finds arrays
with a null. The port does not, so every condition says that the field itself is no array.
"""

from collections.abc import Mapping
from typing import Any

from medai.infra.document_rules import group_paths, range_bounds, segments
from medai.infra.documents import (
    Change,
    GroupBy,
    Not,
    OneOf,
    Present,
    Range,
    Where,
    storable,
)

_OPERATORS = {"at_least": "$gte", "above": "$gt", "below": "$lt", "at_most": "$lte"}
_NO_ARRAY = {"$not": {"$type": "array"}}


def condition(where: Where) -> dict[str, Any]:
    """The filter that all conditions hold: one entry a field, so that every server finds its
    index; what needs "or" stands under `$and`."""
    wanted: dict[str, Any] = {}
    others: list[Mapping[str, Any]] = []
    for path, asked in where.items():
        if path == "_id":
            wanted[path] = _of_id(asked)
        elif isinstance(asked := _closed(asked), Not):
            others.append(_differs(path, asked))
        else:
            wanted[path] = _of_field(path, asked)
    return {**wanted, "$and": others} if others else wanted


def changes(change: Change) -> dict[str, Any]:
    """The update document of a checked change."""
    update: dict[str, Any] = {
        "$set": dict(change.set),
        "$inc": dict(change.increment),
        "$unset": dict.fromkeys(change.unset, ""),
    }
    return {operator: fields for operator, fields in update.items() if fields}


def group_keys(by: GroupBy) -> dict[str, Any]:
    """The compound `_id` of a grouping: names without a meaning, in the order of `by`.

    MongoDB leaves missing fields out, and looks inside arrays here too: neither is wanted.
    """
    values = map(_value, group_paths(by))
    return {
        f"k{place}": {"$ne": [value, None]} if isinstance(one, Present) else value
        for place, (one, value) in enumerate(zip(by, values, strict=True))
    }


def _value(path: str) -> dict[str, Any]:
    parts = segments(path)
    value: dict[str, Any] = {"$ifNull": [f"${path}", None]}
    for length in range(1, len(parts)):
        inside_array = {"$isArray": ["$" + ".".join(parts[:length])]}
        value = {"$cond": [inside_array, None, value]}
    return value


def _closed(asked: Any) -> Any:
    """An open range finds everything that is present, arrays too."""
    return Not(None) if asked == Range() else asked


def _differs(path: str, asked: Not) -> dict[str, Any]:
    segments(path)
    differs = {path: {"$ne": storable(asked.value)}}
    if isinstance(asked.value, list | tuple):
        return differs
    return {"$or": [differs, {path: {"$type": "array"}}]}


def _of_field(path: str, asked: Any) -> dict[str, Any]:
    segments(path)
    if isinstance(asked, list | tuple):
        return {"$eq": storable(asked)}
    return {**_operators(asked), **_NO_ARRAY}


def _operators(asked: Any) -> dict[str, Any]:
    match asked:
        case OneOf(values=several):
            return {"$in": [storable(one) for one in several]}
        case Range():
            bounds = range_bounds(asked)
            return {_OPERATORS[side]: bound for side, bound in bounds.items()}
        case _:
            return {"$eq": storable(asked)}


def _of_id(asked: Any) -> Any:
    """The condition of `_id`, which is never an array."""
    if isinstance(asked, Not):
        return {"$ne": storable(asked.value)}
    return _operators(asked) if isinstance(asked, OneOf | Range) else storable(asked)
