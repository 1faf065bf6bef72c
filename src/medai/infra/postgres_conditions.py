"""Conditions, sort orders and changes of the document port as SQL over `id` and `doc`.

Paths are written into the statement as literals, because an index on an expression is used only
where the statement repeats the expression; `document_rules.segments` admits safe ones only.
Values are always parameters.
"""

from dataclasses import dataclass
from typing import Any

from medai.infra.document_rules import group_paths, range_bounds, segments
from medai.infra.documents import (
    Change,
    GroupBy,
    Not,
    OneOf,
    Present,
    Range,
    Sort,
    Where,
    storable,
)
from medai.infra.jsonb import encode, type_rank

_OPERATORS = {"at_least": ">=", "above": ">", "below": "<", "at_most": "<="}


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement and the parameters of its placeholders, in order."""

    text: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """`fields` takes fields out of `doc` for a FROM list, `keys` are the columns to group by."""

    fields: str
    keys: str


def literal(path: str) -> str:
    """The path as a quoted text array: 'a.b' -> '{"a","b"}'."""
    return "'{" + ",".join(f'"{part}"' for part in segments(path)) + "}'"


def value_of(path: str) -> str:
    """The field as jsonb; a missing one is JSON null."""
    return f"coalesce(doc #> {literal(path)}, 'null'::jsonb)"


def rank_of(path: str) -> str:
    """The number of the field's type, as `jsonb.type_rank` gives it."""
    field = f"(doc #> {literal(path)})"
    return (
        f"(CASE jsonb_typeof{field} WHEN 'number' THEN 1 WHEN 'string' THEN 2"
        f" WHEN 'object' THEN CASE WHEN {field} ? '$date' THEN 6 ELSE 3 END"
        " WHEN 'array' THEN 4 WHEN 'boolean' THEN 5 ELSE 0 END)"
    )


def condition(where: Where) -> Sql:
    """All conditions joined by AND; TRUE when there is none."""
    parts = [
        _id_condition(asked) if path == "_id" else _field_condition(path, asked)
        for path, asked in where.items()
    ]
    text = " AND ".join(f"({part.text})" for part in parts) or "TRUE"
    return Sql(text, tuple(value for part in parts for value in part.parameters))


def order(sort: Sort) -> str:
    """ORDER BY columns with `id` as the last one."""
    columns = []
    for path, direction in sort:
        word = {1: "ASC", -1: "DESC"}[direction]
        keys = ["id"] if path == "_id" else [rank_of(path), value_of(path)]
        columns += [f"{key} {word}" for key in keys]
    return ", ".join([*columns, "id"])


def grouping(by: GroupBy) -> Grouping:
    """All fields are taken in one pass over the document; `value_of` would unpack it for each.

    PostgreSQL also knows nothing about the number of different values of an expression over `doc`,
    and sorts all documents on disk; of a function it expects few, and hashes them.
    """
    tops = dict.fromkeys(segments(path)[0] for path in group_paths(by))
    columns = ", ".join(f'"{top}" jsonb' for top in tops)
    return Grouping(f"jsonb_to_record(doc) AS field({columns})", ", ".join(map(_key, by)))


def _key(one: str | Present) -> str:
    top, *rest = segments(one.path if isinstance(one, Present) else one)
    deeper = f" #> {literal('.'.join(rest))}" if rest else ""
    value = f"coalesce(field.\"{top}\"{deeper}, 'null'::jsonb)"
    return f"({value} <> 'null'::jsonb)" if isinstance(one, Present) else value


def changed(schema: str, change: Change) -> Sql:
    """The document after a checked change, as an expression over `doc`."""
    text, parameters = "doc", []
    for path in change.unset:
        text = f"({text} #- {literal(path)})"
    for path, value in change.set.items():
        text = f"{schema}.with_value({text}, {literal(path)}, %s::jsonb)"
        parameters.append(encode(value))
    for path, number in change.increment.items():
        total = f"{schema}.with_added(doc #> {literal(path)}, %s::numeric)"
        text = f"{schema}.with_value({text}, {literal(path)}, {total})"
        parameters.append(str(number))
    return Sql(text, tuple(parameters))


def _field_condition(path: str, asked: Any) -> Sql:
    value, rank = value_of(path), rank_of(path)
    match asked:
        case None:
            return Sql(f"{rank} = 0")
        case Not(value=other):
            return Sql(f"{value} <> %s::jsonb", (encode(storable(other)),))
        case OneOf(values=several):
            known = [storable(one) for one in several]
            return Sql(
                f"{rank} = ANY(%s::int[]) AND {value} = ANY(%s::jsonb[])",
                (sorted({type_rank(one) for one in known}), [encode(one) for one in known]),
            )
        case Range():
            return _field_range(path, asked)
        case _:
            known = storable(asked)
            return Sql(f"{rank} = %s AND {value} = %s::jsonb", (type_rank(known), encode(known)))


def _field_range(path: str, limits: Range) -> Sql:
    bounds = range_bounds(limits)
    if not bounds:
        return Sql(f"{rank_of(path)} > 0")
    parts = [f"{rank_of(path)} = %s"]
    parameters: list[Any] = [type_rank(next(iter(bounds.values())))]
    for side, bound in bounds.items():
        parts.append(f"{value_of(path)} {_OPERATORS[side]} %s::jsonb")
        parameters.append(encode(bound))
    return Sql(" AND ".join(parts), tuple(parameters))


def _id_condition(asked: Any) -> Sql:
    match asked:
        case Not(value=other):
            return Sql("id IS DISTINCT FROM %s::text", (storable(other),))
        case OneOf(values=several):
            return Sql("id = ANY(%s::text[])", ([one for one in several if isinstance(one, str)],))
        case Range():
            bounds = range_bounds(asked)
            text = " AND ".join(f"id {_OPERATORS[side]} %s::text" for side in bounds) or "TRUE"
            return Sql(text, tuple(bounds.values()))
        case _:
            return Sql("id = %s::text", (storable(asked),))
