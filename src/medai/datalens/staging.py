"""Writing rows of one table through a staging table: only what differs is touched.

Unchanged rows keep their id and created_at, and sequences do not advance on repetition.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from psycopg import AsyncCursor
from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy import ARRAY, Column, String, Table, Text

from medai.datalens.tables import key_columns, written_columns
from medai.kit.ids import stable_id
from medai.kit.text import clean

Cursor = AsyncCursor[tuple[Any, ...]]
_DIGEST_LETTERS = 8


class Staging:
    """The staging table of one target table, for the length of the open transaction."""

    def __init__(self, cursor: Cursor, table: Table) -> None:
        self._cursor = cursor
        self._table = table
        self._columns = written_columns(table)
        self._key = key_columns(table)
        self._row = attrgetter(*self._columns)
        self._forms = [_form(table.columns[name]) for name in self._columns]
        self._key_places = [self._columns.index(name) for name in self._key]
        self._known: set[tuple[Any, ...]] = set()
        self._parts: dict[str, Composable] = {
            "target": Identifier(str(table.schema), table.name),
            "staging": Identifier("pg_temp", f"staging_{table.name}"),
            "columns": _list(self._columns),
            "same": _pairs(self._key),
        }

    async def create(self) -> None:
        """Make the empty staging table."""
        await self._run(
            "CREATE TEMP TABLE {staging} ON COMMIT DROP AS"
            " SELECT {columns} FROM {target} WITH NO DATA"
        )

    async def load(self, rows: Iterable[object]) -> None:
        """Copy rows in, any number of times. Raises ValueError when two of them have one key."""
        copy = SQL("COPY {staging} ({columns}) FROM STDIN").format(**self._parts)
        async with self._cursor.copy(copy) as stream:
            for row in rows:
                await stream.write_row(self._values(row))

    def _values(self, row: object) -> list[Any]:
        values = [form(value) for form, value in zip(self._forms, self._row(row), strict=True)]
        key = tuple(values[place] for place in self._key_places)
        if key in self._known:
            raise ValueError(f"two rows of {self._table.name} with the same key")
        self._known.add(key)
        return values

    async def analyse(self) -> None:
        """Tell the planner how large the staging table is: it takes the slow way otherwise."""
        await self._run("ANALYZE {staging}")

    async def remove_stale(self, client_id: str, days: Sequence[object]) -> int:
        """Delete the client's rows of these days that were not staged; returns how many."""
        delete = (
            "DELETE FROM {target} AS old WHERE old.client_id = %s AND old.metric_date = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM {staging} AS new WHERE {same})"
        )
        return await self._run(delete, [client_id, list(days)])

    async def write(self) -> int:
        """Update rows that differ and insert the missing; returns how many were written."""
        others = [name for name in self._columns if name not in self._key]
        change = (
            "UPDATE {target} AS old SET ({others}) = ROW({new_others}) FROM {staging} AS new"
            " WHERE {same} AND ({old_others}) IS DISTINCT FROM ({new_others})"
        )
        self._parts |= {
            "others": _list(others),
            "old_others": _list(others, "old"),
            "new_others": _list(others, "new"),
            "new_columns": _list(self._columns, "new"),
        }
        add = (
            "INSERT INTO {target} ({columns}) SELECT {new_columns} FROM {staging} AS new"
            " WHERE NOT EXISTS (SELECT 1 FROM {target} AS old WHERE {same})"
            " ORDER BY new.ctid"  # equal rows get equal ids in every installation
        )
        return await self._run(change) + await self._run(add)

    async def _run(self, statement: str, parameters: Sequence[object] | None = None) -> int:
        await self._cursor.execute(SQL(statement).format(**self._parts), parameters)
        return self._cursor.rowcount


def _form(column: Column[Any]) -> Callable[[Any], Any]:
    """What makes a value of a row fit into the column."""
    kind = column.type
    if isinstance(kind, ARRAY):
        return lambda value: [clean(item) for item in value]
    if not isinstance(kind, String):
        return lambda value: value
    limit = None if isinstance(kind, Text) else kind.length

    # The same few labels come again and again.
    @lru_cache(maxsize=1_000)
    def text(value: str | None) -> str | None:
        if value is None:
            return None if column.nullable else ""
        return _fitting(clean(value), limit)

    return text


def _fitting(text: str, limit: int | None) -> str:
    """The text, or its beginning and a digest: two long labels stay two."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[: limit - _DIGEST_LETTERS - 1]}…{stable_id(text)[:_DIGEST_LETTERS]}"


def _list(names: Sequence[str], row: str = "") -> Composed:
    return SQL(", ").join(Identifier(row, name) if row else Identifier(name) for name in names)


def _pairs(names: Sequence[str]) -> Composed:
    same = SQL("{} = {}")
    return SQL(" AND ").join(
        same.format(Identifier("old", name), Identifier("new", name)) for name in names
    )
