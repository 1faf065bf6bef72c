"""The embedded server: shared by processes, back after a kill, nothing acknowledged is lost."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from tests.fixtures.application import settings_for

from medai.errors import SettingsError, StoreError
from medai.infra import embedded_server
from medai.infra.embedded import EmbeddedPostgres
from medai.infra.postgres import Pool
from medai.infra.stores import open_stores

_OTHER_PROCESS = """
import sys, psycopg
from pathlib import Path
from medai.infra.embedded import EmbeddedPostgres
from medai.infra.stores import open_stores
server = EmbeddedPostgres(Path(sys.argv[1]))
with psycopg.connect(server.start(), autocommit=True) as connection:
    # IF NOT EXISTS is no protection: of two that look at once, one fails.
    connection.execute("SELECT pg_advisory_lock(1)")
    connection.execute("CREATE TABLE IF NOT EXISTS visits (n int)")
    connection.execute("INSERT INTO visits VALUES (1)")
print("ready", flush=True)
sys.stdin.readline()
server.stop()
"""


@pytest.fixture
def folder(short_dir: Path) -> Iterator[Path]:
    path = short_dir / "own"
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    yield server
    server.stop()


def postmaster(folder: Path) -> int:
    return int((folder / "pg18" / "postmaster.pid").read_text().split()[0])


def other_process(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _OTHER_PROCESS, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip


def answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


def test_texts_are_ordered_by_code_point_and_russian_is_known(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start()) as connection:
        ordered = connection.execute("SELECT 'Z' < 'a', 'Я' < 'а', 'я' < 'ё', lower('ЖЁЛТЫЙ')")
        assert ordered.fetchone() == (True, True, True, "жёлтый")
        found = connection.execute(
            "SELECT to_tsvector('russian', 'ЗАПИСАЛИ Пациента') @@"
            " websearch_to_tsquery('russian', 'записали пациент')"
        )
        assert found.fetchone() == (True,)
        settings = connection.execute("SELECT current_setting('TimeZone'), version()").fetchone()
        assert settings is not None
        assert settings[0] == "UTC"


def test_nobody_else_reaches_the_socket(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    assert folder.stat().st_mode & 0o077 == 0
    sockets = list(folder.glob(".s.PGSQL*[0-9]"))
    assert [path.stat().st_mode & 0o077 for path in sockets] == [0]


def test_processes_share_one_server_and_the_last_stops_it(
    server: EmbeddedPostgres, folder: Path
) -> None:
    with ExitStack() as running:
        others = [running.enter_context(other_process(folder)) for _ in range(3)]
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
        dsn = server.start()
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT count(*) FROM visits").fetchone() == (3,)
        for other in others[:2]:
            other.communicate("\n", timeout=60)
        server.stop()
        assert answers(dsn), "somebody still uses it"
        others[2].communicate("\n", timeout=60)
        assert [other.returncode for other in others] == [0, 0, 0]
    assert not answers(dsn)


def test_a_killed_process_does_not_keep_the_server_up(
    server: EmbeddedPostgres, folder: Path
) -> None:
    with other_process(folder) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.kill()
    dsn = server.start()
    server.stop()
    assert not answers(dsn)


def test_a_killed_server_comes_back_with_everything(server: EmbeddedPostgres, folder: Path) -> None:
    dsn = server.start()
    for number in range(2):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS visits (n int)")
            connection.execute("INSERT INTO visits VALUES (%s)", [number])
            os.kill(postmaster(folder), signal.SIGKILL)
        assert server.start() == dsn
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT array_agg(n) FROM visits").fetchone() == ([0, 1],)


def test_a_long_path_gets_a_short_socket(short_dir: Path) -> None:
    folder = short_dir / ("long" * 20) / "база"
    server = EmbeddedPostgres(folder)
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("medai",)
        socket_dir = Path(connection.info.host)
    assert len(str(socket_dir)) < 80
    server.stop()
    assert not socket_dir.exists()
    socket_dir.symlink_to(short_dir)
    with pytest.raises(SettingsError):
        server.start()
    socket_dir.unlink()


def test_an_interrupted_creation_is_repeated(server: EmbeddedPostgres, folder: Path) -> None:
    (folder / "pg18.new").mkdir(parents=True)
    (folder / "pg18.new" / "PG_VERSION").write_text("18\n")
    assert answers(server.start())


def test_foreign_settings_in_the_environment_do_not_matter(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("LC_ALL", "xx_XX.bad")
    assert answers(server.start())


def test_a_folder_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="MEDAI_DATA_DIR"):
        EmbeddedPostgres(tmp_path / "file" / "pg").start()


def test_a_broken_cluster_is_a_store_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medai.infra.embedded._START_DEADLINE_SECONDS", 0.0)
    (folder / "pg18").mkdir(parents=True)
    (folder / "pg18" / "PG_VERSION").write_text("18\n")
    if user := embedded_server.server_user():
        shutil.chown(folder / "pg18", user)
    server = EmbeddedPostgres(folder)
    with pytest.raises(StoreError, match=r"журнал .*server\.log"):
        server.start()
    server.stop()


async def test_an_open_installation_brings_its_server_back(folder: Path) -> None:
    settings = settings_for("http://127.0.0.1:9", "", folder)
    async with AsyncExitStack() as resources:
        stores = await open_stores(settings, resources)
        first = await _started_at(stores.pool)
        os.kill(postmaster(folder / "pg"), signal.SIGKILL)

        async with asyncio.timeout(60):  # sessions outlive a killed server for a moment
            await _restarted(stores.pool, first)


async def _restarted(pool: Pool, first: datetime | None) -> None:
    while True:
        if await _started_at(pool) not in (None, first):
            return
        await asyncio.sleep(0.05)


async def _started_at(pool: Pool) -> datetime | None:
    """When the server that answers was started; None while none does."""
    try:
        async with pool.connection(timeout=60) as connection:
            cursor = await connection.execute("SELECT pg_postmaster_start_time()")
            row = await cursor.fetchone()
    except psycopg.OperationalError:
        return None
    return row[0] if row else None
