"""Rows of one table as COPY takes them: texts that fit, and no key twice."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from psycopg import AsyncCursor
from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy import ARRAY, Column, String, Table, Text

from medai.datalens.tables import key_columns, written_columns
from medai.kit.ids import stable_id
from medai.kit.text import clean

Cursor = AsyncCursor[tuple[Any, ...]]
Row = tuple[Any, ...]
"""Values of `written_columns`, in their order."""
_DIGEST_LETTERS = 8


class Copying:
    """Sends rows to a table, or to another one with its columns, and remembers their keys."""

    def __init__(self, cursor: Cursor, table: Table, into: Composable) -> None:
        names = written_columns(table)
        columns = [table.columns[name] for name in names]
        self._cursor = cursor
        self._table = table
        self._copy = SQL("COPY {} ({}) FROM STDIN").format(into, column_list(names))
        self._texts = [
            (place, _Texts(column))
            for place, column in enumerate(columns)
            if isinstance(column.type, String)
        ]
        self._lists = [n for n, column in enumerate(columns) if isinstance(column.type, ARRAY)]
        self._key_of = itemgetter(*(names.index(name) for name in key_columns(table)))
        self._known: set[object] = set()

    @property
    def count(self) -> int:
        """How many rows were sent."""
        return len(self._known)

    async def send(self, rows: Iterable[Row]) -> None:
        """Copy rows in, any number of times. Raises ValueError when two of them have one key."""
        async with self._cursor.copy(self._copy) as stream:
            for row in rows:
                await stream.write_row(self._values(row))

    def _values(self, row: Row) -> list[Any]:
        values = list(row)
        for place, texts in self._texts:
            values[place] = texts[values[place]]
        for place in self._lists:
            values[place] = [clean(item) for item in values[place]]
        key = self._key_of(values)
        if key in self._known:
            raise ValueError(f"two rows of {self._table.name} with the same key")
        self._known.add(key)
        return values


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


def column_list(names: Sequence[str], row: str = "") -> Composed:
    """The names between commas, each of the named row if one is given."""
    return SQL(", ").join(Identifier(row, name) if row else Identifier(name) for name in names)


def _fitting(text: str, limit: int | None) -> str:
    """The text, or its beginning and a digest: two long labels stay two."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[: limit - _DIGEST_LETTERS - 1]}…{stable_id(text)[:_DIGEST_LETTERS]}"
