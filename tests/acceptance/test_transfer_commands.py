"""`medai export-data` and `medai import-data` as processes: memory, a kill, keys, what is told."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from tests.fixtures.command_line import CommandLine, Finished, command_line, foreign_settings
from tests.fixtures.moving import NOWHERE, fresh_mongodb, opened_transfer, stored_in
from tests.fixtures.stores import empty_database

from medai.calls.repository import CALLS
from medai.cli.running import EXIT_CODES
from medai.infra.documents import Document
from medai.infra.postgres import open_pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 20_000
DOCUMENT_BYTES = 2_000
SECRET = "the secret of the first installation, long enough"
OTHER = "the secret of the other installation, long enough"
AUDIO = bytes(range(256)) * 5_000
MOST_MEGABYTES_MORE = 60
"""The documents are 40 MB as text and several times that as objects."""
_NOON = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
_MEASURED = """
import atexit, re, sys
from pathlib import Path
status = Path("/proc/self/status")
atexit.register(lambda: print(re.search(r"VmHWM:.*", status.read_text())[0], file=sys.stderr))
from medai.cli.app import app
app(sys.argv[1:])
"""


@dataclass(frozen=True, slots=True)
class Home:
    """An installation with many documents and two files, and its archive."""

    medai: CommandLine
    folder: Path
    archive: Path
    made: Finished
    megabytes: float


def document(number: int) -> Document:
    return {
        "_id": f"{number * 2654435761 % 2**32:08x}", "client_id": "a", "note_id": number,
        "stage": "analysed", "at": _NOON + timedelta(milliseconds=number),
        "text": f"Здравствуйте, звонок {number}. " * (DOCUMENT_BYTES // 60),
    }  # fmt: skip


def installation(dsn: str, folder: Path, **settings: str) -> CommandLine:
    made = command_line(NOWHERE, dsn, folder)
    return replace(made, settings={**made.settings, "MEDAI_SECRET": SECRET, **settings})


async def measured(medai: CommandLine, *words: str) -> tuple[Finished, float]:
    """Run a command; its peak memory in megabytes beside what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _MEASURED, *words),
        cwd=medai.folder,
        env={**foreign_settings(), "PYTHONPATH": ":".join(sys.path), **medai.settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB\n", err.decode())
    told = re.sub(r"VmHWM.*\n", "", err.decode())
    return Finished(process.returncode or 0, out.decode(), told), int(kilobytes) / 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    with empty_database(postgres_server) as dsn:
        medai = installation(dsn, folder)
        async with opened_transfer(dsn, folder / "data") as opened:
            documents = opened.installation.documents
            for start in range(0, COUNT, 1_000):
                await documents.put_many(CALLS, [document(n) for n in range(start, start + 1_000)])
            await opened.installation.files.write("audio/a.mp3", AUDIO)
            await opened.installation.files.write("recognitions/1/answer.json", b"{}")
        archive = folder / "home.zip"
        made, megabytes = await measured(medai, "export-data", str(archive), "--files")
        yield Home(medai, folder, archive, made, megabytes)


@pytest_asyncio.fixture(loop_scope="module")
async def other(
    postgres_server: str, mongodb_uri: str, tmp_path: Path
) -> AsyncIterator[CommandLine]:
    """Another, empty installation with its documents in MongoDB."""
    with empty_database(postgres_server) as dsn:
        async with fresh_mongodb(mongodb_uri) as (uri, database):
            yield installation(dsn, tmp_path, MONGODB_URI=uri, MONGODB_NAME=database)


async def test_memory_does_not_grow_with_the_documents(
    home: Home, other: CommandLine, tmp_path: Path
) -> None:
    little = tmp_path / "little.zip"
    empty = await measured(other, "export-data", str(little))
    nothing = await measured(other, "import-data", str(little), "--replace")
    full = await measured(other, "import-data", str(home.archive), "--replace")
    assert [one.code for one, _ in (empty, nothing, full)] == [home.made.code, 0, 0] == [0, 0, 0]
    print(f"export {empty[1]:.0f} -> {home.megabytes:.0f} MB,"  # noqa: T201 - figures of the run
          f" import {nothing[1]:.0f} -> {full[1]:.0f} MB")  # fmt: skip
    assert home.megabytes - empty[1] < MOST_MEGABYTES_MORE
    assert full[1] - nothing[1] < MOST_MEGABYTES_MORE
    assert f"calls: {COUNT}" in home.made.out
    assert f"calls: {COUNT}" in full[0].out
    assert "medai export --full" in full[0].out
    assert home.made.err == full[0].err == ""


async def test_killed_half_way_and_run_again_it_is_the_same(
    home: Home, postgres_server: str, tmp_path: Path
) -> None:
    with empty_database(postgres_server) as dsn:
        medai = installation(dsn, tmp_path)
        assert (await medai.run("db", "upgrade")).code == 0
        process = await medai.start("import-data", str(home.archive))
        await half_written(dsn)
        process.kill()
        await process.wait()

        refused = await medai.run("clinics", "list")
        assert refused.code == EXIT_CODES["conflict"]
        assert "не закончен" in refused.one_line()

        again = await medai.run("import-data", str(home.archive))
        assert (again.code, again.err) == (0, "")
        home_dsn = home.medai.settings["POSTGRES_DSN"]
        async with (
            opened_transfer(dsn, tmp_path / "data") as here,
            opened_transfer(home_dsn, home.folder / "data") as there,
        ):
            assert await stored_in(here) == await stored_in(there)
            assert await here.installation.files.read("audio/a.mp3") == AUDIO
        assert (await medai.run("clinics", "list")).code == 0
        full = await medai.run("import-data", str(home.archive))
        assert full.code == EXIT_CODES["conflict"]
        assert "--replace" in full.one_line()


async def half_written(dsn: str) -> None:
    """Until some calls are stored and some are not."""
    async with asyncio.timeout(60), await psycopg.AsyncConnection.connect(dsn) as connection:
        stored = 0
        while not stored:
            cursor = await connection.execute("SELECT count(*) FROM documents.calls")
            stored = (await cursor.fetchone() or (0,))[0]
            await connection.rollback()
            await asyncio.sleep(0.01)
        assert stored < COUNT


async def test_other_keys_are_told_and_no_key_is_in_the_archive(
    home: Home, postgres_server: str, tmp_path: Path
) -> None:
    little = tmp_path / "little.zip"
    with empty_database(postgres_server) as dsn:
        medai = installation(dsn, tmp_path)
        made = await medai.run("export-data", str(little))
        (told,) = re.findall(r"отпечаток ключей ([0-9a-f]{16})$", made.out.strip())
        moved = await medai.run("import-data", str(little), MEDAI_SECRET=OTHER)
        assert moved.code == 0
        assert "MEDAI_SECRET" in moved.one_line()
        assert told in moved.err
        shown = made.out + moved.out + moved.err + little.read_bytes().decode("latin-1")
        assert SECRET not in shown
        assert OTHER not in shown
        same = await medai.run("import-data", str(little), "--replace")
        assert (same.code, same.err) == (0, "")


async def test_a_damaged_archive_changes_nothing(home: Home, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    whole = home.archive.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    home_dsn = home.medai.settings["POSTGRES_DSN"]
    refused = await home.medai.run("import-data", str(cut), "--replace")
    assert refused.code == EXIT_CODES["invalid_input"]
    assert "ничего не записано" in refused.one_line()
    async with opened_transfer(home_dsn, home.folder / "data") as there:
        assert len((await stored_in(there))["calls"]) == COUNT


async def test_a_service_at_work_is_told_to_stop(home: Home, tmp_path: Path) -> None:
    service = await open_pool(home.medai.settings["POSTGRES_DSN"])  # as each of its processes has
    try:
        target = tmp_path / "live.zip"
        refused = await home.medai.run("export-data", str(target))
        assert (refused.code, target.exists()) == (EXIT_CODES["conflict"], False)
        assert "--live" in refused.one_line()
        copied = await home.medai.run("export-data", str(target), "--live")
        assert copied.code == 0
        assert "служба работала" in copied.out
        refused = await home.medai.run("import-data", str(target), "--replace")
        assert refused.code == EXIT_CODES["conflict"]
        assert "остановите" in refused.one_line()
    finally:
        await service.close()
