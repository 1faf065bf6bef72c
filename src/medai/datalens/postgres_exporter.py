"""Metrics into the tables DataLens reads: whole days replaced in one transaction (contract 3)."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table

from medai.datalens.staging import Cursor, Staging
from medai.datalens.tables import CRITERIA, DAILY, DETAILS, RECOMMENDATIONS, SCHEMA
from medai.errors import StoreError
from medai.infra.postgres import Pool, store_errors
from medai.metrics.rows import CriterionRow, DailyRow, DetailRow, RecommendationRow

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('medai.datalens.export', 0))"
_DAY_TABLES: tuple[Table, ...] = (DAILY, CRITERIA, DETAILS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayExport:
    """All rows of one clinic and one business day; empty sequences clear the day."""

    client_id: str
    day: date
    daily: Sequence[DailyRow]
    criteria: Sequence[CriterionRow]
    details: Sequence[DetailRow]

    def rows(self, table: Table) -> Sequence[DailyRow | CriterionRow | DetailRow]:
        """The rows of one of the three day tables."""
        by_table: dict[str, Sequence[DailyRow | CriterionRow | DetailRow]] = {
            DAILY.name: self.daily, CRITERIA.name: self.criteria, DETAILS.name: self.details
        }  # fmt: skip
        return by_table[table.name]


class PostgresExporter:
    """Writes the DataLens tables; readers see a day either as it was or as it is.

    The tables must exist (`medai.datalens.schema.upgrade`). Every method raises StoreError when
    the database cannot be reached or a table is missing.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def replace_day(
        self, client_id: str, day: date, daily: Sequence[DailyRow],
        criteria: Sequence[CriterionRow], details: Sequence[DetailRow],
    ) -> dict[str, int]:  # fmt: skip
        """One day of `replace_days`."""
        only = DayExport(
            client_id=client_id, day=day, daily=daily, criteria=criteria, details=details
        )
        return await self.replace_days([only])

    async def replace_days(self, items: Sequence[DayExport]) -> dict[str, int]:
        """Make the tables hold exactly these rows for these days, in one transaction.

        Returns per table how many rows were new or changed: zeros for a repetition, which keeps
        ids and created_at. Rows of the same days that are not given are removed. Raises ValueError
        for a row of another clinic or day and for two rows with the same labels.
        """
        _check(items)
        written = dict.fromkeys((table.name for table in _DAY_TABLES), 0)
        if not items:
            return written
        async with self._transaction() as cursor:
            for table in _DAY_TABLES:
                staging = Staging(cursor, table)
                await staging.load(row for item in items for row in item.rows(table))
                for client_id, own in groupby(sorted(_days(items)), lambda pair: pair[0]):
                    await staging.remove_stale(client_id, [day for _, day in own])
                written[table.name] = await staging.write()
        return written

    async def upsert_recommendations(self, rows: Sequence[RecommendationRow]) -> int:
        """Write conclusions by clinic and period; returns how many were new or changed."""
        async with self._transaction() as cursor:
            staging = Staging(cursor, RECOMMENDATIONS)
            await staging.load(rows)
            return await staging.write()

    async def count_rows(self, client_id: str, days: Sequence[date]) -> dict[str, int]:
        """How many rows of the clinic each of the three day tables holds for these days."""
        counts = {}
        with _export_errors():
            async with self._pool.connection() as connection:
                for table in _DAY_TABLES:
                    query = SQL(
                        "SELECT count(*) FROM {} WHERE client_id = %s AND metric_date = ANY(%s)"
                    ).format(Identifier(SCHEMA, table.name))
                    row = await (
                        await connection.execute(query, [client_id, list(days)])
                    ).fetchone()
                    counts[table.name] = int(row[0]) if row else 0
        return counts

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Cursor]:
        # The lock makes exporters follow each other: both would find a row missing and insert it.
        with _export_errors():
            async with (
                self._pool.connection() as connection,
                connection.transaction(),
                connection.cursor() as cursor,
            ):
                await cursor.execute(_LOCK)
                yield cursor


def _check(items: Sequence[DayExport]) -> None:
    if len(_days(items)) < len(items):
        raise ValueError("a day of a clinic is given twice")
    for item in items:
        for table in _DAY_TABLES:
            for row in item.rows(table):
                if (row.client_id, row.metric_date) != (item.client_id, item.day):
                    raise ValueError(f"a row of {table.name} belongs to another clinic or day")


def _days(items: Sequence[DayExport]) -> set[tuple[str, date]]:
    return {(item.client_id, item.day) for item in items}


@contextmanager
def _export_errors() -> Iterator[None]:
    try:
        with store_errors():
            yield
    except psycopg.errors.UndefinedTable as error:
        raise StoreError("Таблиц DataLens нет: выполните medai db upgrade") from error
    except psycopg.errors.UndefinedColumn as error:
        raise StoreError("Таблицы DataLens устарели: выполните medai db upgrade") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            "Нет прав на таблицы DataLens: дайте пользователю базы право записи"
        ) from error
