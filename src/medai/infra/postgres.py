"""The PostgreSQL pool, its errors in our words, and locks that hold across the whole fleet."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from medai.errors import SettingsError, StoreError

Pool = AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]

SERVICE_NAME = "medai"
"""What connections of the service and its commands are called."""

_OPEN_TIMEOUT_SECONDS = 15.0
_CHECKOUT_TIMEOUT_SECONDS = 15.0
_RECONNECT_SECONDS = 2.0
"""The pool doubles its pauses until it gives up, and then starts again with a short one: so those
who wait for a connection have it a second or two after the server is back."""

_FINAL = ("password authentication failed", "no password supplied", "does not exist", "pg_hba.conf")
"""Refusals that waiting does not change; said in another language, they are waited for."""

_KEEPALIVE: dict[str, Any] = {
    # How soon a lost machine is noticed: its advisory locks are held until then.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "connect_timeout": 10,
}
_LOOK_SECONDS = 1.0
_AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name IN (%s, 'medai-worker')
"""
_TAKE = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_local_locks: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] = WeakValueDictionary()


async def open_pool(
    dsn: str, *, max_size: int = 10, min_size: int = 1, name: str = SERVICE_NAME
) -> Pool:
    """Open a pool of autocommit connections whose session time zone is UTC.

    The server shows them under `name`, by which others see that this process is at work.

    Several statements that belong together need `async with connection.transaction()`. A
    connection is checked before it is handed out, so a restarted server is noticed and survived.
    Raises StoreError when the server cannot be reached within 15 seconds or refuses the user or
    database, SettingsError for a malformed DSN.
    """
    pool: Pool = AsyncConnectionPool(
        _with_defaults(dsn, name), min_size=min_size, max_size=max_size, open=False,
        configure=_configure, check=AsyncConnectionPool.check_connection,
        timeout=_CHECKOUT_TIMEOUT_SECONDS, reconnect_timeout=_RECONNECT_SECONDS,
        reconnect_failed=_try_again,
        kwargs={"autocommit": True},
    )  # fmt: skip
    try:
        await _open(pool)
    except BaseException:
        await pool.close()
        raise
    return pool


async def _open(pool: Pool) -> None:
    refusal = await _refusal(pool)
    if not any(sign in refusal for sign in _FINAL):
        try:
            with store_errors():
                return await pool.open(wait=True, timeout=_OPEN_TIMEOUT_SECONDS)
        except StoreError:
            refusal = await _refusal(pool)
            if not refusal:
                raise
    raise StoreError(f"PostgreSQL не принимает соединение ({refusal}): проверьте POSTGRES_*")


async def _refusal(pool: Pool) -> str:
    """What the server or the network says to one attempt, empty if it succeeds.

    Names the address, user and database, never the password.
    """
    try:
        await (await open_connection(pool, "medai-probe")).close()
    except psycopg.OperationalError as error:
        return (
            str(error).partition("\n")[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
        )
    return ""


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn "the server is away or refuses to work" into StoreError; other errors are ours."""
    try:
        yield
    except (PoolTimeout, TooManyRequests) as error:
        raise StoreError(
            "Нет свободного соединения с PostgreSQL: проверьте, что сервер запущен и не перегружен"
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolClosed) as error:
        raise StoreError(
            "PostgreSQL недоступен или отказал: проверьте сервер и настройки POSTGRES_*"
        ) from error


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock of `watched_lock`, as long as its connection lives."""

    connection: AsyncConnection[tuple[Any, ...]]

    async def lost(self) -> None:
        """Return once the connection is gone: from then on somebody else may hold the lock."""
        while True:
            try:
                async with asyncio.timeout(_LOOK_SECONDS * 10):
                    await self.connection.execute("SELECT 1")
            except (psycopg.OperationalError, TimeoutError):
                return
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def watched_lock(pool: Pool, key: str) -> AsyncIterator[HeldLock]:
    """Hold the fleet-wide lock `key`; waits as long as it takes without blocking the loop.

    The lock lives on a connection of its own outside the pool, so waiters cannot starve the
    holder of connections, and tasks of one process queue up before they open one. A holder that
    dies frees the lock. It does not fence: a holder whose connection broke has to ask (`lost`).
    Raises StoreError when the server cannot be reached.
    """
    async with _local_lock(pool, key):
        with store_errors():
            connection = await _locked_connection(pool, key)
        try:
            yield HeldLock(connection)
        finally:
            await connection.close()


@asynccontextmanager
async def advisory_lock(pool: Pool, key: str) -> AsyncIterator[None]:
    """The same for work that is short, or harmless when two do it."""
    async with watched_lock(pool, key):
        yield


@asynccontextmanager
async def pooled_lock(pool: Pool, key: str) -> AsyncIterator[None]:
    """The same on a connection of the pool, for work so frequent that opening one would be felt.

    It takes one of the pool's few for as long as it waits and works, so not for many keys at once.
    """
    async with _local_lock(pool, key):
        with store_errors():
            async with pool.connection() as connection:
                try:
                    await connection.execute(_TAKE, [key])
                    yield
                    await connection.execute("SELECT pg_advisory_unlock_all()")
                except BaseException:
                    await connection.close()  # which frees the lock; the pool opens another one
                    raise


async def others_at_work(pool: Pool) -> int:
    """Connections of the service and its commands that stand on this database now.

    Pools of another name do not count. Raises StoreError.
    """
    with store_errors():
        async with pool.connection() as connection:
            row = await (await connection.execute(_AT_WORK, [SERVICE_NAME])).fetchone()
    return int(row[0]) if row else 0


async def open_connection(pool: Pool, name: str) -> AsyncConnection[tuple[Any, ...]]:
    """A connection of its own to the pool's server, for locks that outlive a checkout.

    The caller closes it. Raises psycopg.OperationalError (see `store_errors`).
    """
    return await AsyncConnection.connect(dsn_of(pool), autocommit=True, application_name=name)


def dsn_of(pool: Pool) -> str:
    """The address of the pool's server."""
    if not isinstance(pool.conninfo, str):
        raise TypeError("locks need a pool opened by open_pool")
    return pool.conninfo


def _local_lock(pool: Pool, key: str) -> asyncio.Lock:
    """Tasks of one process follow each other here, and only one of them asks the server."""
    local_key = (id(asyncio.get_running_loop()), dsn_of(pool), key)
    return _local_locks.setdefault(local_key, asyncio.Lock())


async def _locked_connection(pool: Pool, key: str) -> AsyncConnection[tuple[Any, ...]]:
    connection = await open_connection(pool, "medai-lock")
    try:
        await connection.execute(_TAKE, [key])
    except BaseException:
        await connection.close()
        raise
    return connection


def _with_defaults(dsn: str, name: str) -> str:
    try:
        named = {**_KEEPALIVE, **conninfo_to_dict(dsn), "application_name": name}
        return make_conninfo("", **named)
    except psycopg.ProgrammingError:
        raise SettingsError(
            "Адрес PostgreSQL не читается: проверьте POSTGRES_DSN"
            " (postgresql://пользователь:пароль@сервер:5432/база)"
        ) from None  # the driver's error may repeat a part of the password


async def _configure(connection: AsyncConnection[tuple[Any, ...]]) -> None:
    await connection.execute("SET TIME ZONE 'UTC'")


async def _try_again(pool: AsyncConnectionPool[Any]) -> None:
    if not pool.closed:
        await pool.check()  # opens a connection where none is left
