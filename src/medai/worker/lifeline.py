"""Proof that a worker lives: PostgreSQL frees its lock in the moment its process dies.

A heartbeat alone tells too little. One that is late may mean a dead process or a busy one, and a
job that runs twice could post a note twice.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from procrastinate.worker import Worker
from psycopg import AsyncConnection

from medai.infra.postgres import Pool, open_connection

_BEAT_SECONDS = 1.0
_CLASS = "hashtext('medai-worker')"
HOLD = f"SELECT pg_advisory_lock({_CLASS}, %s::int)"
_GIVE_UP = f"SELECT pg_advisory_unlock({_CLASS}, %s::int)"
# Cast before the call: bigint worker ids are small numbers in practice.
IS_FREE = f"pg_try_advisory_xact_lock({_CLASS}, id::int)"
"""SQL over the engine's table of workers: whether nobody lives behind the row."""


class Lifeline:
    """Holds one lock for each worker of this process, on one connection."""

    def __init__(self, pool: Pool, workers: Sequence[Worker]) -> None:
        self._pool = pool
        self._workers = workers
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
        self._held: set[int] = set()

    async def keep(self) -> None:
        """Hold the locks for ever, also after the server was away; ends by cancellation."""
        try:
            while True:
                # Without the server nobody can look, so nobody takes us for dead.
                with suppress(psycopg.OperationalError):
                    await self._beat()
                await asyncio.sleep(_BEAT_SECONDS)
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def _beat(self) -> None:
        connection = await self._connected()
        registered = {one.worker_id for one in self._workers if one.worker_id is not None}
        for worker_id in registered - self._held:
            await connection.execute(HOLD, [worker_id])
            self._held.add(worker_id)
        for worker_id in self._held - registered:  # it was started again under another id
            await connection.execute(_GIVE_UP, [worker_id])
            self._held.discard(worker_id)
        await connection.execute("SELECT 1")  # notices a server that was restarted

    async def _connected(self) -> AsyncConnection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._held.clear()
            self._connection = await open_connection(self._pool, "medai-worker")
        return self._connection
