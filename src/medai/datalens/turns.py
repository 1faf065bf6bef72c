"""Exports follow each other: who waits says for whom, and gives up after a bounded time.

Every role that may connect can take an advisory lock: PostgreSQL knows no right that forbids it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import structlog

from medai.errors import ConflictError
from medai.infra.postgres import Pool, pooled_lock, store_errors

_log = structlog.get_logger(__name__)

QUIET_SECONDS = 5.0
"""Exports of a few days follow each other within this time."""
PATIENCE_SECONDS = 900.0
"""A full export of a large installation takes minutes."""

Waiting = Callable[[str], None]
"""Takes the name of the connection that an export waits for."""

_RUN_LOCK = "medai.datalens.run"
_HOLDER = """
SELECT a.usename, a.application_name, a.pid, a.state_change
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid),
    hashtextextended(%s, 0) AS key (number)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid::bigint = (number >> 32) & 4294967295
    AND l.objid::bigint = number & 4294967295"""


@asynccontextmanager
async def turn(pool: Pool, waiting: Waiting | None = None) -> AsyncIterator[None]:
    """Wait until no other exporter of the fleet runs, and be the only one.

    `waiting` is told for whom, once, if it takes longer than `QUIET_SECONDS`. Raises ConflictError
    that names the holder after `PATIENCE_SECONDS`, StoreError when the server is away.
    """
    async with AsyncExitStack() as held:
        if not await _taken(pool, held, QUIET_SECONDS):
            holder = await _holder(pool)
            _log.warning("export waits for another one", holder=holder)
            if waiting:
                waiting(holder)
            if not await _taken(pool, held, PATIENCE_SECONDS):
                raise ConflictError(
                    f"Выгрузка не началась за {PATIENCE_SECONDS / 60:.0f} мин: очередь держит"
                    f" {await _holder(pool)}; завершите это подключение"
                    " (pg_terminate_backend) или дождитесь его и повторите medai export"
                )
        yield


async def _taken(pool: Pool, held: AsyncExitStack, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await held.enter_async_context(pooled_lock(pool, _RUN_LOCK))
    except TimeoutError:
        return False
    return True


async def _holder(pool: Pool) -> str:
    """Who holds the turn and since when, as far as our role may see it."""
    with store_errors():
        async with pool.connection() as connection:
            row = await (await connection.execute(_HOLDER, [_RUN_LOCK])).fetchone()
    if row is None:
        return "другая выгрузка этого процесса"
    role, program, pid, since = row
    names = f"{role} ({program}), pid {pid}" if program else f"{role}, pid {pid}"
    return f"{names}, с {since:%d.%m.%Y %H:%M} UTC" if isinstance(since, datetime) else names
