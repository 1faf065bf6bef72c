"""At most so many at once, over all processes and machines: a dead process frees what it held.

A slot is a session-level advisory lock of PostgreSQL (stores-and-jobs.md 4), taken on one
connection per process. A slot that is given back while others of the same process wait is handed
to them for some seconds: with full queues no slot idles for a round trip.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection

from medai.infra import measures
from medai.infra.postgres import Pool, open_connection, store_errors

_LOOK_SECONDS = 0.05
"""How often the first waiter of a process looks for slots that other processes gave back."""
_KEPT_SECONDS = 10.0
"""How long a process may hand a slot to its own waiters: then the others get their chance."""
_GATHER_SECONDS = 1.0
"""Who needs several slots gives a part of them back after this: two of those must not block."""

# CASE, because a lock of our own session would be taken a second time.
_LOCK = """
SELECT slot FROM generate_series(1, %(size)s) AS slot
WHERE CASE WHEN slot = ANY(%(held)s) THEN false
      ELSE pg_try_advisory_lock(hashtext(%(name)s), slot) END
LIMIT %(count)s
"""
_UNLOCK = """
SELECT pg_advisory_unlock(hashtext(%(name)s), slot) FROM unnest(%(slots)s::int[]) AS slot
"""


GiveBack = Callable[[], Coroutine[Any, Any, None]]
"""Frees what is held."""


@dataclass(frozen=True, slots=True)
class _Slot:
    number: int
    since: float


class FleetSlots:
    """`size()` slots of one name for the whole fleet; the size may change between two looks.

    After a lost connection the other processes may take what this one still uses: the size is a
    courtesy to a provider, who refuses what is too much, and not a lock.
    """

    def __init__(self, pool: Pool, name: str, size: Callable[[], int]) -> None:
        self._pool = pool
        self._name = name
        self._size = size
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()
        self._waiting = 0
        self._kept: list[_Slot] = []
        self._locked: set[int] = set()

    @asynccontextmanager
    async def hold(self, count: int = 1) -> AsyncIterator[GiveBack]:
        """Wait for `count` slots (at most all there are) and hold them. Raises StoreError.

        The yielded function gives them back early; twice is once.
        """
        slots: list[_Slot] = []
        try:
            asked = monotonic()
            await self._fill(slots, count)
            measures.turn_waited(self._name, monotonic() - asked)
            yield partial(self._return, slots)
        finally:
            await _uninterrupted(self._return(slots))

    async def close(self) -> None:
        """Give everything back."""
        if self._connection is not None:
            await self._connection.close()

    async def _fill(self, slots: list[_Slot], count: int) -> None:
        """First come, first served within the process; only the first one asks PostgreSQL."""
        self._waiting += 1
        try:
            async with self._turn:
                since = monotonic()
                while not await self._enough(slots, count):
                    if monotonic() - since > _GATHER_SECONDS:
                        await _uninterrupted(self._unlock(slots))
                        since = monotonic()
                    await self._look_later()
        finally:
            self._waiting -= 1
            if not self._waiting and self._kept:
                await _uninterrupted(self._unlock(self._kept))

    async def _enough(self, slots: list[_Slot], count: int) -> bool:
        """Add what is free; tells whether there are `count` now."""
        self._given_back.clear()
        wanted = min(count, self._size())
        while self._kept and len(slots) < wanted:
            slots.append(self._kept.pop())
        if len(slots) < wanted:
            await _uninterrupted(self._lock(slots, wanted - len(slots)))
        return len(slots) >= wanted

    async def _look_later(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._given_back.wait()

    async def _lock(self, slots: list[_Slot], count: int) -> None:
        values = {"size": self._size(), "held": list(self._locked), "count": count}
        with store_errors():
            connection = await self._connected()
            cursor = await connection.execute(_LOCK, {"name": self._name, **values})
            numbers = [int(row[0]) for row in await cursor.fetchall()]
        self._locked.update(numbers)
        slots += [_Slot(number, monotonic()) for number in numbers]

    async def _return(self, slots: list[_Slot]) -> None:
        """Keep fresh slots for those who wait here, give the others back to the fleet."""
        if self._waiting:
            fresh = [one for one in slots if monotonic() - one.since < _KEPT_SECONDS]
            self._kept += fresh
            slots[:] = [one for one in slots if one not in fresh]
        await self._unlock(slots)
        self._given_back.set()

    async def _unlock(self, slots: list[_Slot]) -> None:
        """Give slots back to the fleet; those of a broken connection are free already."""
        numbers = [one.number for one in slots]
        slots.clear()
        self._locked.difference_update(numbers)
        if numbers and self._connection is not None and not self._connection.closed:
            with suppress(psycopg.OperationalError):
                await self._connection.execute(_UNLOCK, {"name": self._name, "slots": numbers})

    async def _connected(self) -> AsyncConnection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = await open_connection(self._pool, "medai-slots")
        return self._connection


async def _uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Carry the work through even if the caller is cancelled: half of it would lose a slot."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
