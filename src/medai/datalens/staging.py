"""Writing rows of one table through a staging table: only what differs is touched.

Unchanged rows keep their id and created_at, and sequences do not advance on repetition.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter, itemgetter
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
        columns = [table.columns[name] for name in self._columns]
        self._texts = [
            (place, _Texts(column))
            for place, column in enumerate(columns)
            if isinstance(column.type, String)
        ]
        self._lists = [n for n, column in enumerate(columns) if isinstance(column.type, ARRAY)]
        self._key_of = itemgetter(*(self._columns.index(name) for name in self._key))
        self._known: set[object] = set()
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
        values = list(self._row(row))
        for place, texts in self._texts:
            values[place] = texts[values[place]]
        for place in self._lists:
            values[place] = [clean(item) for item in values[place]]
        key = self._key_of(values)
        if key in self._known:
            raise ValueError(f"two rows of {self._table.name} with the same key")
        self._known.add(key)
        return values

    async def analyse(self) -> None:
        """Tell the planner how large the staging table is: it takes the slow way otherwise."""
        await self._run("ANALYZE {staging} (metric_date)")

    async def days(self) -> set[tuple[str, date]]:
        """client_id and day of the rows that were loaded."""
        await self._run("SELECT DISTINCT client_id, metric_date FROM {staging}")
        return {(row[0], row[1]) for row in await self._cursor.fetchall()}

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


class _Texts(dict[str | None, str | None]):
    """Texts as the column takes them; the few labels of a day come again and again."""

    def __init__(self, column: Column[Any]) -> None:
        super().__init__()
        self._nothing = None if column.nullable else ""
        self._limit = None if isinstance(column.type, Text) else getattr(column.type, "length", 0)

    def __missing__(self, value: str | None) -> str | None:
        fitting = self._nothing if value is None else _fitting(clean(value), self._limit)
        if self._limit:
            self[value] = fitting
        return fitting


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
