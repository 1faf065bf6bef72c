"""Documents in PostgreSQL: one table of JSONB per collection."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from medai.infra import document_rules as rules
from medai.infra import postgres_schema
from medai.infra.documents import Change, Collection, Document, GroupBy, Sort, Where, storable
from medai.infra.jsonb import decode, encode
from medai.infra.postgres import Pool, store_errors
from medai.infra.postgres_conditions import Sql, changed, condition, grouping, order
from medai.kit.chunks import chunks

_CHUNK = 500
"""Documents per statement and rows per fetch: a few megabytes at most."""
# By hand and not by the driver's named cursor: that one complains when a result nobody reads to its
# end is collected as garbage, although the end of the transaction closes it.
_DECLARE = "DECLARE found NO SCROLL CURSOR FOR"
_FETCH = f"FETCH {_CHUNK} FROM found".encode()


class PostgresDocuments:
    """The `Documents` port on a pool; texts are compared as the database compares them.

    The embedded database orders them by code point like MongoDB; a foreign database created with
    another locale orders names by that locale. The pool belongs to the caller.
    """

    def __init__(self, pool: Pool, schema: str = "documents") -> None:
        self._pool = pool
        self._schema = rules.checked_name(schema)

    async def prepare(self, collections: Sequence[Collection]) -> None:
        """See `Documents.prepare`; raises ConflictError when stored documents break a key."""
        with store_errors():
            async with self._pool.connection() as connection, connection.transaction():
                lock = "SELECT pg_advisory_xact_lock(hashtextextended('medai.documents', 0))"
                await connection.execute(lock)
                await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")
                await connection.execute(
                    postgres_schema.FUNCTIONS.format(schema=self._schema).encode()
                )
                for collection in collections:
                    await self._prepare_one(connection, collection)

    async def unprepared(self, collections: Sequence[Collection]) -> list[str]:
        """See `Documents.unprepared`."""
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = %s"
        with store_errors():
            async with self._pool.connection() as connection:
                query = f"{tables} UNION ALL {indexes}".encode()
                cursor = await connection.execute(query, [self._schema, self._schema])
                present = {row[0] for row in await cursor.fetchall()}
        return [
            one.name
            for one in collections
            if not present.issuperset({one.name} | postgres_schema.index_names(one))
        ]

    async def get(self, collection: Collection, doc_id: str) -> Document | None:
        """See `Documents.get`."""
        query = f"SELECT doc::text FROM {self._table(collection)} WHERE id = %s"  # noqa: S608
        with store_errors():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(query.encode(), [storable(doc_id)])
                row = await cursor.fetchone()
        return decode(row[0]) if row else None

    async def find(
        self, collection: Collection, where: Where, *, sort: Sort, limit: int | None = None
    ) -> AsyncGenerator[Document, None]:
        """See `Documents.find`; a result longer than 500 holds a connection while it is read."""
        matching = condition(where)
        query = (
            f"SELECT doc::text FROM {self._table(collection)} WHERE {matching.text}"  # noqa: S608
            f" ORDER BY {order(sort)} LIMIT %s"
        )
        parameters = [*matching.parameters, limit]
        with store_errors():
            async with self._pool.connection() as connection:
                if limit is not None and limit <= _CHUNK:
                    rows = await (await connection.execute(query.encode(), parameters)).fetchall()
                else:
                    async with connection.transaction():
                        await connection.execute(
                            f"{_DECLARE} {query}".encode(), parameters, prepare=False
                        )
                        while len(rows := await _fetched(connection)) == _CHUNK:
                            for row in rows:
                                yield decode(row[0])
            # The last part is given out after the connection went back: short results, which are
            # nearly all, never hold one while their reader asks for another.
            for row in rows:
                yield decode(row[0])

    async def insert(self, collection: Collection, document: Document) -> bool:
        """See `Documents.insert`."""
        stored = rules.identified(document)
        statement = (
            f"INSERT INTO {self._table(collection)} (id, doc) VALUES (%s, %s::jsonb)"  # noqa: S608
            " ON CONFLICT DO NOTHING"
        )
        return await self._run(collection, statement, [stored["_id"], encode(stored)]) == 1

    async def put_many(self, collection: Collection, documents: Sequence[Document]) -> int:
        """See `Documents.put_many`; 500 documents are one atomic statement."""
        table = self._table(collection)
        statement = (
            f"INSERT INTO {table} AS stored (id, doc)"  # noqa: S608
            " SELECT * FROM unnest(%s::text[], %s::jsonb[]) AS new (id, doc)"
            # A conflict locks the row, which is a write; equal documents are not worth one.
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} AS same"
            " WHERE same.id = new.id AND same.doc = new.doc)"
            " ON CONFLICT (id) DO UPDATE SET doc = EXCLUDED.doc"
            " WHERE stored.doc IS DISTINCT FROM EXCLUDED.doc"
        )
        stored = rules.latest_by_id(documents)
        written = 0
        for start in range(0, len(stored), _CHUNK):
            chunk = stored[start : start + _CHUNK]
            columns = [[one["_id"] for one in chunk], [encode(one) for one in chunk]]
            written += await self._run(collection, statement, columns)
        return written

    async def update(
        self, collection: Collection, doc_id: str, change: Change, *, where: Where | None = None
    ) -> bool:
        """See `Documents.update`; raises ValueError when a path meets a value of another type."""
        return await self._update(collection, {**(where or {}), "_id": doc_id}, change) == 1

    async def update_many(self, collection: Collection, where: Where, change: Change) -> int:
        """See `Documents.update_many`; one atomic statement."""
        return await self._update(collection, where, change)

    async def groups(
        self, collection: Collection, by: GroupBy, where: Where
    ) -> list[tuple[tuple[Any, ...], int]]:
        """See `Documents.groups`."""
        matching, taken = condition(where), grouping(by)
        query = (
            f"SELECT jsonb_build_array({taken.keys})::text, count(*)"  # noqa: S608
            f" FROM (SELECT doc FROM {self._table(collection)} WHERE {matching.text}) AS matching,"
            f" {taken.fields} GROUP BY {taken.keys}"
        )
        with store_errors():
            async with self._pool.connection() as connection:
                # One plan for all values would be made for the mean clinic, not for a large one.
                cursor = await connection.execute(
                    query.encode(), matching.parameters, prepare=False
                )
                rows = await cursor.fetchall()
        found: list[tuple[tuple[Any, ...], int]] = []
        for piece in chunks(rows, _CHUNK):
            found += [(tuple(decode(values)), count) for values, count in piece]
            await asyncio.sleep(0)  # groups may be as many as documents
        return found

    async def delete(self, collection: Collection, where: Where) -> int:
        """See `Documents.delete`."""
        rules.refuse_everything(where)
        matching = condition(where)
        statement = f"DELETE FROM {self._table(collection)} WHERE {matching.text}"  # noqa: S608
        return await self._run(collection, statement, matching.parameters)

    async def close(self) -> None:
        """Nothing to release: the pool belongs to the caller."""

    def _table(self, collection: Collection) -> str:
        return f"{self._schema}.{rules.checked_name(collection.name)}"

    async def _prepare_one(
        self, connection: psycopg.AsyncConnection[tuple[Any, ...]], collection: Collection
    ) -> None:
        await connection.execute(postgres_schema.create_table(self._schema, collection).encode())
        for statement in postgres_schema.create_indexes(self._schema, collection):
            try:
                await connection.execute(statement.encode())
            except psycopg.errors.UniqueViolation as error:
                raise rules.unpreparable(collection) from error

    async def _update(self, collection: Collection, where: Where, change: Change) -> int:
        new, matching = changed(self._schema, rules.checked_change(change)), condition(where)
        statement = Sql(
            f"UPDATE {self._table(collection)} SET doc = {new.text} WHERE {matching.text}",  # noqa: S608
            (*new.parameters, *matching.parameters),
        )
        return await self._run(collection, statement.text, statement.parameters)

    async def _run(self, collection: Collection, text: str, parameters: Sequence[Any]) -> int:
        """Execute a statement; returns how many rows it wrote."""
        with store_errors(), _document_errors(collection):
            async with self._pool.connection() as connection:
                cursor = await connection.execute(text.encode(), parameters)
                return cursor.rowcount


async def _fetched(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The next rows of the declared cursor."""
    return await (await connection.execute(_FETCH, prepare=False)).fetchall()


@contextmanager
def _document_errors(collection: Collection) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise rules.taken(collection) from error
    except psycopg.errors.InvalidParameterValue as error:
        raise rules.not_a_number_or_object() from error
