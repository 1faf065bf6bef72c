"""What a PostgreSQL server is like, as far as the service depends on it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from medai.infra.jobs import SCHEMA
from medai.infra.postgres import Pool, open_connection, store_errors

_PROBE = "medai_doctor"
_NOTICE_SECONDS = 3.0
_TRAITS = f"""
SELECT current_setting('server_version_num')::int / 10000, clock_timestamp(),
       current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       to_regclass('{SCHEMA}.procrastinate_jobs') IS NOT NULL
       AND to_regclass('ledger.effects') IS NOT NULL
       AND to_regclass('call_details') IS NOT NULL
"""  # noqa: S608 - the schema is ours


@dataclass(frozen=True, slots=True)
class PostgresTraits:
    """`connections` are those the server gives to ordinary users, `used` those taken now.

    `prepared` tells whether our tables exist; `now` is the server's clock.
    """

    version: int
    now: datetime
    connections: int
    used: int
    prepared: bool


async def read_traits(pool: Pool) -> PostgresTraits:
    """Raises StoreError."""
    with store_errors():
        async with pool.connection() as connection:
            row = await (await connection.execute(_TRAITS.encode())).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM has one row")
    return PostgresTraits(*row)


async def keeps_sessions(pool: Pool) -> bool:
    """Whether locks and announcements of a session work: not behind transaction pooling.

    Raises StoreError.
    """
    with store_errors():
        first = await open_connection(pool, "medai-doctor")
        async with first:
            second = await open_connection(pool, "medai-doctor")
            async with second:
                return await _excludes(first, second) and await _hears(first, second)


async def _excludes(
    first: AsyncConnection[tuple[Any, ...]], second: AsyncConnection[tuple[Any, ...]]
) -> bool:
    key = (await (await first.execute("SELECT pg_backend_pid()")).fetchone() or (0,))[0]
    take = "SELECT pg_try_advisory_lock(hashtext('medai-doctor'), %s)"
    mine = await (await first.execute(take, [key])).fetchone()
    theirs = await (await second.execute(take, [key])).fetchone()
    return mine == (True,) and theirs == (False,)


async def _hears(
    first: AsyncConnection[tuple[Any, ...]], second: AsyncConnection[tuple[Any, ...]]
) -> bool:
    await first.execute(f"LISTEN {_PROBE}".encode())

    async def notice() -> bool:
        async for _ in first.notifies(timeout=_NOTICE_SECONDS, stop_after=1):
            return True
        return False

    heard = asyncio.create_task(notice())
    await second.execute(f"NOTIFY {_PROBE}".encode())
    return await heard
