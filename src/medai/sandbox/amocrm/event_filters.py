"""Filters of the event log (amocrm.md 3.1, 3.2)."""

import re
from collections.abc import Callable, Iterator

from medai.sandbox.amocrm.answers import ProblemError
from medai.sandbox.amocrm.query import Query
from medai.sandbox.amocrm.rows import Row

MAX_IDS = 10
_FIELD_CHANGED = re.compile(r"^custom_field_(\d+)_value_changed$")
_VALUED = {"nps_rate_added", "sale_field_changed", "name_field_changed", "ltv_field_changed",
           "custom_field_value_changed"}  # fmt: skip
Test = Callable[[Row], bool]


def tests(query: Query) -> list[Test]:
    """Conditions that a listed event meets, times aside. Raises ProblemError (400)."""
    found = [*_simple(query), *_entities(query), *_types(query)]
    for side in ("value_before", "value_after"):
        found += _values(query, side)
    return found


def _simple(query: Query) -> Iterator[Test]:
    ids = set(query.listed("filter", "id"))
    if ids:
        yield lambda row: row["id"] in ids
    authors = set(query.ints("filter", "created_by"))
    if len(authors) > MAX_IDS:
        raise ProblemError(400, f"filter[created_by] takes at most {MAX_IDS} ids")
    if authors:
        yield lambda row: row["created_by"] in authors


def _entities(query: Query) -> Iterator[Test]:
    kinds = set(query.listed("filter", "entity"))
    if kinds:
        yield lambda row: row["entity_type"] in kinds
    ids = set(query.ints("filter", "entity_id"))
    if not ids:
        return
    if len(kinds) != 1:
        raise ProblemError(400, "filter[entity_id] needs exactly one filter[entity]")
    if len(ids) > MAX_IDS:
        raise ProblemError(400, f"filter[entity_id] takes at most {MAX_IDS} ids")
    yield lambda row: row["entity_id"] in ids


def _types(query: Query) -> Iterator[Test]:
    types = set(query.listed("filter", "type"))
    if not types:
        return
    fields = {int(match[1]) for match in map(_FIELD_CHANGED.match, types) if match}
    if fields and len(types) > 1:
        raise ProblemError(400, "custom_field_{ID}_value_changed cannot be mixed with other types")
    yield lambda row: row["type"] in types or _is_change_of(row, fields)


def _is_change_of(row: Row, fields: set[int]) -> bool:
    if row["type"] != "custom_field_value_changed":
        return False
    return any(value.get("field_id") in fields for value in _field_values(row["value_after"]))


def _values(query: Query, side: str) -> Iterator[Test]:
    for kind, word in (
        ("leads_statuses", "lead_status"),
        ("customers_statuses", "customer_status"),
    ):
        pairs = query.groups("filter", side, kind)
        if pairs:
            yield lambda row, pairs=pairs, word=word: _in_pairs(row, side, word, pairs)  # type: ignore[misc]
    people = set(query.listed("filter", side, "responsible_user_id"))
    if people:
        yield lambda row: any(
            str(item.get("responsible_user", {}).get("id")) in people for item in row[side]
        )
    yield from _field_tests(query, side)


def _in_pairs(row: Row, side: str, word: str, pairs: list[dict[str, str]]) -> bool:
    return any(word in item and _agrees(item[word], pair) for item in row[side] for pair in pairs)


def _agrees(status: Row, pair: dict[str, str]) -> bool:
    asked = {"pipeline_id": pair.get("pipeline_id"), "id": pair.get("status_id")}
    return all(value is None or str(status.get(key)) == value for key, value in asked.items())


def _field_tests(query: Query, side: str) -> Iterator[Test]:
    enums = set(query.listed("filter", side, "custom_field_values"))
    types = query.listed("filter", "type")
    if enums:
        if len(types) != 1 or not _FIELD_CHANGED.match(types[0]):
            raise ProblemError(400, "custom_field_values needs one custom_field_{ID}_value_changed")
        yield lambda row: any(str(v.get("enum_id")) in enums for v in _field_values(row[side]))
    value = query.one("filter", side, "value")
    if value is not None:
        if not set(types) <= _VALUED:
            raise ProblemError(400, "filter by value does not fit the asked types")
        yield lambda row: any(str(v.get("text")) == value for v in _field_values(row[side]))


def _field_values(items: list[Row]) -> Iterator[Row]:
    for item in items:
        for key in ("custom_field_value", "name_field_value", "sale_field_value"):
            if isinstance(item.get(key), dict):
                yield item[key]
