"""Metrics into the tables DataLens reads: whole days replaced in one transaction (contract 3)."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import date

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table

from medai.datalens.copying import Cursor, Row
from medai.datalens.replacement import Replacement
from medai.datalens.staging import Staging
from medai.datalens.tables import DAY_TABLES, QUOTA, RECOMMENDATIONS, SCHEMA
from medai.datalens.turns import PATIENCE_SECONDS, Waiting, turn
from medai.errors import ConflictError, StoreError
from medai.infra.postgres import Pool, store_errors
from medai.metrics.rows import QuotaRow, RecommendationRow

_Quotas = dict[tuple[str, str, date], tuple[int, int]]
"""By clinic and period: used seconds and the limit."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('medai.datalens.export', 0))"
"""Makes writers follow each other: both would find a row missing and insert it."""
_WAIT = f"SET LOCAL lock_timeout = {PATIENCE_SECONDS * 1_000:.0f}"
"""Also for rows and tables that somebody else has locked."""


class PostgresExporter:
    """Writes the DataLens tables; readers see a day either as it was or as it is.

    The tables must exist (`medai.datalens.schema.upgrade`). Every method raises StoreError when
    the database cannot be reached or a table is missing, the writing ones ConflictError when
    somebody else keeps the tables locked.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def alone(self, waiting: Waiting | None = None) -> AbstractAsyncContextManager[None]:
        """Wait until no other exporter of the fleet runs, and be the only one.

        Raises ConflictError when the other one does not end (see `turns`).
        """
        return turn(self._pool, waiting)

    @asynccontextmanager
    async def replacing(self, client_id: str, days: Sequence[date]) -> AsyncIterator[Replacement]:
        """One transaction: the tables then hold exactly the rows given for these days of the
        clinic, and what they held if it fails. Replacements follow each other.

        A repetition writes nothing: rows keep their ids and created_at.
        """
        async with self._transaction() as cursor:
            replacement = Replacement(cursor, client_id, days)
            await replacement.open()
            yield replacement
            await replacement.close()

    async def upsert_recommendations(self, rows: Sequence[RecommendationRow]) -> int:
        """Write conclusions by clinic and period; returns how many were new or changed."""
        async with self._transaction() as cursor:
            return await _upserted(cursor, RECOMMENDATIONS, rows)

    async def upsert_quotas(self, present: Sequence[QuotaRow], past: Sequence[QuotaRow]) -> int:
        """Write minutes by clinic and period; returns how many rows were new or changed.

        A past period that is known keeps its limit, and its minutes unless they were more.
        """
        async with self._transaction() as cursor:
            known = await _known_quotas(cursor, past)
            rows = [*present, *filter(None, (_completed(row, known) for row in past))]
            return await _upserted(cursor, QUOTA, rows)

    async def count_rows(self, client_id: str, days: Sequence[date]) -> dict[str, int]:
        """How many rows of the clinic each of the day tables holds for these days."""
        counts = {}
        with _export_errors():
            async with self._pool.connection() as connection:
                for table in DAY_TABLES:
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
        with _export_errors():
            async with (
                self._pool.connection() as connection,
                connection.transaction(),
                connection.cursor() as cursor,
            ):
                await cursor.execute(f"{_WAIT}; {_LOCK}".encode())
                yield cursor


async def _upserted(cursor: Cursor, table: Table, rows: Sequence[Row]) -> int:
    staging = Staging(cursor, table)
    await cursor.execute(staging.creation)
    await staging.send(rows)
    return await staging.write()


async def _known_quotas(cursor: Cursor, rows: Sequence[QuotaRow]) -> _Quotas:
    query = SQL(
        "SELECT client_id, period_type, period_start, used_seconds, limit_seconds FROM {}"
        " WHERE client_id = ANY(%s) AND period_start = ANY(%s)"
    ).format(Identifier(SCHEMA, QUOTA.name))
    clients, starts = {row.client_id for row in rows}, {row.period_start for row in rows}
    await cursor.execute(query, [list(clients), list(starts)])
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in await cursor.fetchall()}


def _completed(row: QuotaRow, known: _Quotas) -> QuotaRow | None:
    """The row of a past period, if it tells more than the stored one."""
    used, limit = known.get(
        (row.client_id, row.period_type, row.period_start), (-1, row.limit_seconds)
    )
    return row._replace(limit_seconds=limit) if row.used_seconds > used else None


@contextmanager
def _export_errors() -> Iterator[None]:
    try:
        with store_errors(), _lock_errors():
            yield
    except psycopg.errors.UndefinedTable as error:
        raise StoreError("Таблиц DataLens нет: выполните medai db upgrade") from error
    except psycopg.errors.UndefinedColumn as error:
        raise StoreError("Таблицы DataLens устарели: выполните medai db upgrade") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            "Нет прав на таблицы DataLens: дайте пользователю базы право записи"
        ) from error


@contextmanager
def _lock_errors() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise ConflictError(
            "Таблицы DataLens заняты другим подключением к PostgreSQL: завершите его"
            " (его покажет pg_stat_activity) и повторите medai export"
        ) from error
