"""Filters of lead, contact and company lists: the paid add-on (amocrm.md 2.4, 6.1)."""

from collections.abc import Callable, Iterator

from medai.sandbox.amocrm.query import Query
from medai.sandbox.amocrm.rows import Row

_EQUAL = ("pipeline_id", "created_by", "updated_by", "responsible_user_id")
_RANGED = ("created_at", "updated_at", "closed_at", "closest_task_at", "price")
Test = Callable[[Row], bool]


def tests(query: Query, *, exclusive: bool) -> list[Test]:
    """Conditions of every known filter; unknown ones are ignored. Raises ProblemError (400)."""
    return [*_equal(query), *_ranged(query, exclusive), *_statuses(query), *_names(query)]


def search(text: str) -> Test:
    """`query=`: a substring of the name or of any field's value (amocrm.md 6.2)."""
    sought = text.casefold()
    return lambda row: any(sought in part for part in _searched(row))


def _equal(query: Query) -> Iterator[Test]:
    for field in _EQUAL:
        values = set(query.ints("filter", field))
        if values:
            yield _one_of(field, values)


def _one_of(field: str, values: set[int]) -> Test:
    return lambda row: row.get(field) in values


def _ranged(query: Query, exclusive: bool) -> Iterator[Test]:
    for field in _RANGED:
        within = query.bounds("filter", field, exclusive=exclusive)
        if within is not None:
            yield lambda row, field=field, within=within: (  # type: ignore[misc]
                row.get(field) is not None and row[field] in within
            )


def _statuses(query: Query) -> Iterator[Test]:
    pairs = query.groups("filter", "statuses")
    wanted = {(pair.get("pipeline_id"), pair.get("status_id")) for pair in pairs}
    if wanted:
        yield lambda row: (str(row.get("pipeline_id")), str(row.get("status_id"))) in wanted


def _names(query: Query) -> Iterator[Test]:
    names = set(query.values("filter", "name"))
    if names:
        yield lambda row: row.get("name") in names
    for field, value in _field_values(query):
        yield lambda row, field=field, value=value: value in _values_of(row, field)  # type: ignore[misc]


def _field_values(query: Query) -> Iterator[tuple[int, str]]:
    for group in query.groups("filter", "custom_fields_values"):
        yield from ((0, value) for value in group.values())
    for path, value in query.listing:
        if path[:2] == ("filter", "custom_fields_values") and len(path) > 2 and path[2].isdigit():
            yield int(path[2]), value


def _values_of(row: Row, field_id: int) -> set[str]:
    fields = row.get("custom_fields_values") or []
    return {
        str(value.get(key))
        for field in fields
        if field.get("field_id") == field_id
        for value in field.get("values", ())
        for key in ("value", "enum_id")
    }


def _searched(row: Row) -> Iterator[str]:
    yield str(row.get("name") or "").casefold()
    for field in row.get("custom_fields_values") or []:
        for value in field.get("values", ()):
            yield str(value.get("value")).casefold()
