"""Writing rows of one table through a staging table: only what differs is touched.

Unchanged rows keep their id and created_at, and sequences do not advance on repetition.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Column, Table

from medai.datalens.copying import Copying, Cursor, Row, column_list
from medai.datalens.shapes import kind_of
from medai.datalens.tables import is_of_day, key_columns, written_columns


@dataclass(frozen=True, slots=True)
class Span:
    """Days of one clinic."""

    client_id: str
    days: Sequence[date]


_ANYWHERE = "true"
_OF_SPAN = "old.client_id = %(client_id)s AND old.metric_date = ANY(%(days)s)"

# Emptied and not dropped: the catalog of a server that exports every few minutes would fill with
# dead tables, and making four of them takes a quarter of the time that a changed day takes.
_CREATE = "CREATE TEMP TABLE IF NOT EXISTS {staging} ({definitions}) ON COMMIT DELETE ROWS"
_GONE = (
    "gone AS (DELETE FROM {target} AS old WHERE {of_span}"
    " AND NOT EXISTS (SELECT 1 FROM {staging} AS new WHERE {same}))"
)
_CHANGED = (
    "changed AS (UPDATE {target} AS old SET ({others}) = ROW({new_others})"
    " FROM {staging} AS new WHERE {same} AND {within}"
    " AND ({old_others}) IS DISTINCT FROM ({new_others}) RETURNING 1)"
)
_ADDED = (
    "added AS (INSERT INTO {target} ({columns}) SELECT {new_columns} FROM {staging} AS new"
    " WHERE NOT EXISTS (SELECT 1 FROM {target} AS old WHERE {same} AND {within})"
    " ORDER BY new.ctid RETURNING 1)"  # equal rows get equal ids in every installation
)
_COUNT = "SELECT (SELECT count(*) FROM changed) + (SELECT count(*) FROM added)"
# One statement: its parts see the same rows, and each touches others than the other two.
_WRITE = f"WITH {_CHANGED}, {_ADDED} {_COUNT}"
_REPLACE = f"WITH {_GONE}, {_CHANGED}, {_ADDED} {_COUNT}"


class Staging:
    """The connection's staging table of one target table; rows stay until the transaction ends."""

    def __init__(self, cursor: Cursor, table: Table) -> None:
        self._cursor = cursor
        self._table = table
        self._copying = Copying(cursor, table, _staging(table))

    @property
    def creation(self) -> bytes:
        """The statement that makes the staging table if need be; it has no parameters."""
        return _written_out(_CREATE, self._table)

    async def send(self, rows: Iterable[Row]) -> None:
        """Copy rows in, any number of times. Raises ValueError when two of them have one key."""
        await self._copying.send(rows)

    async def replace(self, span: Span) -> int:
        """Make the target hold exactly the staged rows for these days; returns how many were
        written. What is staged must be of these days."""
        # Equal keys are of equal days, so read only these.
        within = _OF_SPAN if is_of_day(self._table) else _ANYWHERE
        parameters = {"client_id": span.client_id, "days": list(span.days)}
        return await self._count(_written_out(_REPLACE, self._table, within), parameters)

    async def write(self) -> int:
        """Update rows that differ and insert the missing; returns how many were written."""
        return await self._count(_written_out(_WRITE, self._table))

    async def _count(self, statement: bytes, parameters: Mapping[str, object] | None = None) -> int:
        await self._cursor.execute(statement, parameters)
        row = await self._cursor.fetchone()
        return int(row[0]) if row else 0


@cache
def _written_out(statement: str, table: Table, within: str = _ANYWHERE) -> bytes:
    """The statement for the table. Writing a hundred columns out takes longer than a short one."""
    columns, key = written_columns(table), key_columns(table)
    others = [name for name in columns if name not in key]
    composed = SQL(statement).format(
        target=Identifier(str(table.schema), table.name),
        staging=_staging(table),
        columns=column_list(columns),
        definitions=SQL(", ").join(_definition(table.columns[name]) for name in columns),
        new_columns=column_list(columns, "new"),
        others=column_list(others),
        old_others=column_list(others, "old"),
        new_others=column_list(others, "new"),
        same=_pairs(key),
        within=SQL(within),
        of_span=SQL(_OF_SPAN),
    )
    return composed.as_bytes(None)


def _definition(column: Column[Any]) -> Composed:
    return SQL("{} {}").format(Identifier(column.name), SQL(kind_of(column)))


def _staging(table: Table) -> Identifier:
    return Identifier("pg_temp", f"staging_{table.name}")


def _pairs(names: Sequence[str]) -> Composed:
    same = SQL("{} = {}")
    return SQL(" AND ").join(
        same.format(Identifier("old", name), Identifier("new", name)) for name in names
    )
