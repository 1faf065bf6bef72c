"""The pool, its errors, and locks that hold across processes."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from medai.errors import SettingsError, StoreError
from medai.infra.documents import Collection
from medai.infra.embedded import EmbeddedPostgres
from medai.infra.postgres import Pool, advisory_lock, open_pool, pooled_lock, store_errors
from medai.infra.postgres_documents import PostgresDocuments

Lock = Callable[[Pool, str], AbstractAsyncContextManager[None]]
LOCKS = pytest.mark.parametrize("locked", [advisory_lock, pooled_lock])
_TRY = "SELECT pg_try_advisory_lock(hashtextextended('key', 0))"
_WAITERS = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def test_sessions_are_in_utc(pool: Pool) -> None:
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT current_setting('TimeZone')")).fetchone()
    assert row == ("UTC",)


async def test_an_absent_server_is_a_store_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medai.infra.postgres._OPEN_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(StoreError, match=r"PostgreSQL.*No such file"):
        await open_pool(f"host={tmp_path} dbname=medai")


@pytest.mark.parametrize("changed", [{"dbname": "no_such_base"}, {"user": "no_such_user"}])
async def test_a_refusal_is_told_in_the_servers_words(
    postgres_dsn: str, changed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medai.infra.postgres._OPEN_TIMEOUT_SECONDS", 3_600)  # not waited for
    refused = make_conninfo(postgres_dsn, password="secret", **changed)
    with pytest.raises(StoreError, match=r"no_such_.* does not exist") as caught:
        await open_pool(refused)
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


async def test_a_malformed_address_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="POSTGRES_DSN") as caught:
        await open_pool("postgresql://user:secret@[broken")
    assert "secret" not in caught.value.message
    assert caught.value.__suppress_context__


async def test_errors_of_ours_are_not_hidden(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.SyntaxError), store_errors():
        async with pool.connection() as connection:
            await connection.execute("SELEC 1")


@LOCKS
async def test_a_lock_admits_one_at_a_time_over_two_pools(
    pool: Pool, postgres_dsn: str, locked: Lock
) -> None:
    other = await open_pool(postgres_dsn, max_size=2)
    inside = peak = entered = 0

    async def enter(one: Pool) -> None:
        nonlocal inside, peak, entered
        async with locked(one, "token:account"):
            inside += 1
            peak = max(peak, inside)
            # The holder may use the pool, however many wait for the lock.
            async with one.connection() as connection:
                await connection.execute("SELECT pg_sleep(0.002)")
            inside -= 1
            entered += 1

    async with asyncio.timeout(20):
        await asyncio.gather(*(enter(one) for one in (pool, other) * 30))
    await other.close()
    assert (peak, entered) == (1, 60)


@LOCKS
async def test_a_foreign_holder_is_waited_for(pool: Pool, postgres_dsn: str, locked: Lock) -> None:
    lock = "SELECT pg_advisory_lock(hashtextextended('key', 0))"
    with psycopg.connect(postgres_dsn, autocommit=True) as holder:
        holder.execute(lock)

        async def enter() -> str:
            async with locked(pool, "key"):
                return "in"

        waiting = asyncio.create_task(enter())
        async with locked(pool, "another key"):  # the loop is free, other keys are free
            pass
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        holder.execute("SELECT pg_advisory_unlock_all()")
        assert await waiting == "in"


@LOCKS
async def test_a_lock_is_free_after_an_error_and_after_cancelling(
    pool: Pool, postgres_dsn: str, locked: Lock
) -> None:
    with pytest.raises(RuntimeError):
        async with locked(pool, "key"):
            raise RuntimeError
    with psycopg.connect(postgres_dsn) as other:  # the pool's own connection may take it twice
        assert other.execute(_TRY).fetchone() == (True,)
    entered = asyncio.Event()

    async def hold() -> None:
        async with locked(pool, "key"):
            entered.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await entered.wait()
    waiter = asyncio.create_task(hold())
    await asyncio.sleep(0)
    for task in (waiter, holder):
        task.cancel()
    await asyncio.gather(holder, waiter, return_exceptions=True)
    async with asyncio.timeout(20), locked(pool, "key"):
        pass
    with psycopg.connect(postgres_dsn) as other:
        assert other.execute(_TRY).fetchone() == (True,)


@LOCKS
async def test_who_gives_up_waiting_takes_no_lock_with_him(
    pool: Pool, postgres_dsn: str, locked: Lock
) -> None:
    async def enter() -> None:
        async with locked(pool, "key"):
            raise AssertionError("somebody else holds it")

    with (
        psycopg.connect(postgres_dsn, autocommit=True) as holder,
        psycopg.connect(postgres_dsn, autocommit=True) as other,
    ):
        holder.execute("SELECT pg_advisory_lock(hashtextextended('key', 0))")
        waiting = asyncio.create_task(enter())
        await asyncio.wait([waiting], timeout=0.1)
        assert holder.execute(_WAITERS).fetchone()
        waiting.cancel()
        await asyncio.wait([waiting])
        holder.execute("SELECT pg_advisory_unlock_all()")
        assert other.execute(_TRY).fetchone() == (True,)


async def test_documents_and_the_pool_survive_a_restart_of_the_server(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medai.infra.postgres._CHECKOUT_TIMEOUT_SECONDS", 3.0)
    server = EmbeddedPostgres(short_dir / "restart")
    pool = await open_pool(await asyncio.to_thread(server.start))
    notes = Collection("notes")
    store = PostgresDocuments(pool)
    await store.prepare([notes])
    await store.put_many(notes, [{"_id": str(number)} for number in range(100)])
    await asyncio.to_thread(server.stop)
    with pytest.raises(StoreError, match="PostgreSQL"):
        async with asyncio.timeout(60):
            await store.get(notes, "1")
    await asyncio.to_thread(server.start)
    assert len([one async for one in store.find(notes, {}, sort=[])]) == 100
    await pool.close()
    await asyncio.to_thread(server.stop)
