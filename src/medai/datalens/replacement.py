"""Rows that take the place of everything the tables hold for some days of a clinic."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from psycopg.sql import SQL, Composable, Identifier
from sqlalchemy import Table

from medai.datalens.copying import Copying, Cursor
from medai.datalens.staging import Span, Staging
from medai.datalens.tables import DAY_TABLES, is_of_day
from medai.metrics.rows import CriterionRow, DailyRow, DetailRow, FunnelRow

_BY_HASH = "SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off"
"""The planner knows nothing of staged rows and takes them for a few: it would look each up by an
index of the clinic, or merge by the day alone, and compare all of a day's rows with each other."""

DayRow = DailyRow | CriterionRow | DetailRow | FunnelRow


class Replacement:
    """An open transaction that holds the exporters' lock; see `PostgresExporter.replacing`.

    `written` tells after its end how many rows of each table were new or changed.
    """

    def __init__(self, cursor: Cursor, client_id: str, days: Sequence[date]) -> None:
        self._span = Span(client_id, days)
        self._cursor = cursor
        self._tables = {table.name: _Days(cursor, table, self._span) for table in DAY_TABLES}
        self.written: dict[str, int] = {}

    async def open(self) -> None:
        """Look what the tables hold: where the days are empty, rows go straight there."""
        where = {"client_id": self._span.client_id, "days": list(self._span.days)}
        await self._cursor.execute(_HOLDS, where)
        held = await self._cursor.fetchone() or ()
        for table, has_rows in zip(self._tables.values(), held, strict=True):
            table.open(is_empty=not has_rows)
        creations = filter(None, (table.creation for table in self._tables.values()))
        if statement := b"; ".join(creations):
            await self._cursor.execute(statement)

    async def add(self, table: Table, rows: Iterable[DayRow]) -> None:
        """Take rows of one of the day tables, any number of times: they are not kept in memory.

        Raises ValueError for two rows with the same labels and for a row of another day.
        """
        await self._tables[table.name].add(rows)

    async def close(self) -> None:
        """Make the tables hold exactly the rows given; rows of none clear a day."""
        await self._replace([table for table in DAY_TABLES if not is_of_day(table)])
        await self._cursor.execute(_BY_HASH)
        await self._replace([table for table in DAY_TABLES if is_of_day(table)])

    async def _replace(self, tables: Sequence[Table]) -> None:
        for table in tables:
            self.written[table.name] = await self._tables[table.name].close()


class _Days:
    """The days in one table. Where they are empty, rows go straight there."""

    def __init__(self, cursor: Cursor, table: Table, span: Span) -> None:
        self._cursor = cursor
        self._table = table
        self._span = span
        self._wanted = {(span.client_id, day) for day in span.days}
        self._way: Copying | Staging

    def open(self, *, is_empty: bool) -> None:
        """Choose the way that rows take, when it is known whether the table holds any."""
        if is_empty:
            self._way = Copying(self._cursor, self._table, _target(self._table))
        else:
            self._way = Staging(self._cursor, self._table)

    @property
    def creation(self) -> bytes:
        """The statement that has to come before the rows, if any."""
        return self._way.creation if isinstance(self._way, Staging) else b""

    async def add(self, rows: Iterable[DayRow]) -> None:
        await self._way.send(self._own(rows))

    def _own(self, rows: Iterable[DayRow]) -> Iterator[DayRow]:
        for row in rows:
            if (row.client_id, row.metric_date) not in self._wanted:
                raise ValueError("a row belongs to another clinic or day")
            yield row

    async def close(self) -> int:
        if isinstance(self._way, Staging):
            return await self._way.replace(self._span)
        return self._way.count


def _target(table: Table) -> Identifier:
    return Identifier(str(table.schema), table.name)


def _holds(table: Table) -> Composable:
    if not is_of_day(table):
        # A call that another day holds may have moved here: its row is no missing one.
        return SQL("true")
    return SQL(
        "EXISTS (SELECT 1 FROM {} WHERE client_id = %(client_id)s AND metric_date = ANY(%(days)s))"
    ).format(_target(table))


_HOLDS = SQL("SELECT {}").format(SQL(", ").join(map(_holds, DAY_TABLES))).as_bytes(None)
"""One truth for each day table: whether it has rows of these days."""
