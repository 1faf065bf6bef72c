"""How often something may be done, by all processes together."""

import asyncio
from time import monotonic
from typing import Protocol

from medai.infra import measures
from medai.infra.postgres import Pool, store_errors

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('medai.infra', 0))"
_TABLE = """
CREATE TABLE IF NOT EXISTS infra.rate_slots (key text PRIMARY KEY, next_at timestamptz NOT NULL)
"""
# `clock_timestamp()` is read after the row is locked, so waiting for the lock costs no slot.
_RESERVE = """
INSERT INTO infra.rate_slots AS slot (key, next_at)
VALUES (%(key)s, clock_timestamp() + %(gap)s * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET next_at = greatest(slot.next_at, clock_timestamp()) + %(gap)s * interval '1 second'
RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - %(gap)s
"""
_HOLD_BACK = """
INSERT INTO infra.rate_slots AS slot (key, next_at)
VALUES (%(key)s, clock_timestamp() + %(seconds)s * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET next_at = greatest(slot.next_at, clock_timestamp() + %(seconds)s * interval '1 second')
"""


_LATE_SECONDS = 0.1
"""A slot missed by more than this is given up: lateness puts more turns into one second.

`per_second` times (1 + lateness) turns may meet in a second. At 5 of the CRM's 7 this leaves 0.3 s
to the way of a request through a loaded machine.
"""
_MOST_MISSED_SLOTS = 5
"""A machine that misses every slot must still get its turn."""


class RateLimiter(Protocol):
    """Gives out turns."""

    async def wait(self, key: str, cost: float = 1.0) -> float:
        """Sleep until it is this caller's turn for `key`; returns the seconds waited.

        `cost` is how many turns this one counts for (tokens of a request).
        """

    async def hold_back(self, key: str, seconds: float) -> None:
        """Nobody's turn for `key` comes within the seconds (a provider asked for a pause)."""


class Unlimited:
    """A limiter that never waits (a setting of 0)."""

    async def wait(self, key: str, cost: float = 1.0) -> float:  # noqa: ARG002 - the port's
        """Return at once."""
        return 0.0

    async def hold_back(self, key: str, seconds: float) -> None:
        """Do nothing: who sets no limit gets no pauses."""


class PostgresRateLimiter:
    """At most `per_second` turns a second for each key, over all processes and machines.

    One row per key holds the next free slot (stores-and-jobs.md 3.4); a reservation is one
    statement. Slots are evenly spaced, so the first and the last of `per_second` + 1 neighbours
    are a second apart: late wake-ups can put one more into a window. Nothing is lent for idle time.
    """

    def __init__(self, pool: Pool, per_second: float) -> None:
        """Raises ValueError unless `per_second` is positive."""
        if per_second <= 0:
            raise ValueError("a rate is positive; use Unlimited for no limit")
        self._pool = pool
        self._gap = 1.0 / per_second

    async def prepare(self) -> None:
        """Create the table; safe from many processes at once. Raises StoreError."""
        with store_errors():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(_LOCK)
                await connection.execute("CREATE SCHEMA IF NOT EXISTS infra")
                await connection.execute(_TABLE)

    async def wait(self, key: str, cost: float = 1.0) -> float:
        """See `RateLimiter.wait`; a cancelled caller's slot stays used. Raises StoreError.

        A process that slept through its slot takes another one: after a standstill all waiters
        would go at once and the provider would see more in one second than it allows.
        """
        began = monotonic()
        gap = self._gap * cost
        for _ in range(_MOST_MISSED_SLOTS):
            asked, seconds = await self._reserved(key, gap)
            await asyncio.sleep(seconds)
            if monotonic() - asked - seconds <= _LATE_SECONDS:
                break
        waited = monotonic() - began if seconds else 0.0
        measures.turn_waited(key, waited)
        return waited

    async def hold_back(self, key: str, seconds: float) -> None:
        """See `RateLimiter.hold_back`. Raises StoreError."""
        with store_errors():
            async with self._pool.connection() as connection:
                await connection.execute(_HOLD_BACK, {"key": key, "seconds": seconds})

    async def _reserved(self, key: str, gap: float) -> tuple[float, float]:
        """The monotonic moment of asking, and seconds from the answer to the slot, ours now."""
        with store_errors():
            async with self._pool.connection() as connection:
                asked = monotonic()
                cursor = await connection.execute(_RESERVE, {"key": key, "gap": gap})
                row = await cursor.fetchone()
        return asked, max(float(row[0]), 0.0) if row else 0.0
