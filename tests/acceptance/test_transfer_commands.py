"""`medai export-data` and `medai import-data` as processes: memory, a kill, keys, what is told."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from tests.fixtures.command_line import CommandLine, Finished, command_line, foreign_settings
from tests.fixtures.moving import NOWHERE, opened_transfer
from tests.fixtures.stores import empty_database

from medai.cli.running import EXIT_CODES
from medai.infra.postgres import open_pool
from medai.processing.transfer.marker import refuse_unfinished

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 20_000
_DOCUMENTS = f"""
INSERT INTO documents.calls (id, doc)
SELECT id, jsonb_build_object(
    '_id', id, 'client_id', 'a', 'note_id', n, 'stage', 'analysed', 'empty', '{{}}'::jsonb,
    'at', jsonb_build_object('$date', 1790000000000 + n), 'score', n + 0.5, 'nothing', NULL,
    'text', repeat('Здравствуйте, это звонок ' || id || '. ', 25))
FROM (SELECT n, md5(n::text) AS id FROM generate_series(1, {COUNT}) AS n) AS numbered
"""  # noqa: S608 - a constant
SECRET = "the secret of the first installation, long enough"
OTHER = "the secret of the other installation, long enough"
AUDIO = bytes(range(256)) * 5_000
MOST_MEGABYTES_MORE = 35
"""The documents are 50 MB as text and more as objects."""
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


def fill(dsn: str) -> None:
    """Many documents, made by the database itself: that is quick."""
    with psycopg.connect(dsn) as connection:
        connection.execute(_DOCUMENTS.encode())


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
            fill(dsn)
            await opened.installation.files.write("audio/a.mp3", AUDIO)
            await opened.installation.files.write("recognitions/1/answer.json", b"{}")
        archive = folder / "home.zip"
        made, megabytes = await measured(medai, "export-data", str(archive), "--files")
        yield Home(medai, folder, archive, made, megabytes)


async def test_killed_half_way_and_run_again_it_is_the_same_in_bounded_memory(
    home: Home, postgres_server: str, tmp_path: Path
) -> None:
    with empty_database(postgres_server) as dsn:
        medai = installation(dsn, tmp_path)
        async with opened_transfer(dsn, tmp_path / "data"):
            pass  # tables to look into
        process = await medai.start("import-data", str(home.archive))
        await half_written(dsn)
        process.kill()
        await process.wait()

        refused, megabytes = await measured(medai, "clinics", "list")
        assert refused.code == EXIT_CODES["conflict"]
        assert "не закончен" in refused.one_line()

        with_other_keys = replace(medai, settings={**medai.settings, "MEDAI_SECRET": OTHER})
        again, most_megabytes = await measured(with_other_keys, "import-data", str(home.archive))
        assert again.code == 0
        (fingerprint,) = re.findall(r"отпечаток ключей ([0-9a-f]{16})$", home.made.out.strip())
        assert f"отпечаток {fingerprint}, здесь" in again.one_line()
        assert not re.findall(f"{SECRET}|{OTHER}", again.out + again.err + home.made.out)
        assert f"calls: {COUNT}" in again.out
        assert "medai export --full" in again.out
        home_dsn = home.medai.settings["POSTGRES_DSN"]
        assert contents(dsn) == contents(home_dsn)
        async with opened_transfer(dsn, tmp_path / "data") as here:
            await refuse_unfinished(here.installation.documents)
            assert await here.installation.files.read("audio/a.mp3") == AUDIO
    print(f"MB: {megabytes:.0f}, export {home.megabytes:.0f}, import {most_megabytes:.0f}")  # noqa: T201
    assert home.made.err == ""
    assert home.megabytes - megabytes < MOST_MEGABYTES_MORE
    assert most_megabytes - megabytes < MOST_MEGABYTES_MORE


def contents(dsn: str) -> tuple[object, ...] | None:
    """Count and digest of the stored calls, types of numbers included."""
    query = "SELECT count(*), md5(string_agg(doc::text, '' ORDER BY id)) FROM documents.calls"
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchone()


async def half_written(dsn: str) -> None:
    """Until some calls are stored and some are not."""
    async with asyncio.timeout(60), await psycopg.AsyncConnection.connect(dsn) as connection:
        stored = 0
        while not stored:
            cursor = await connection.execute(b"SELECT count(*) FROM documents.calls")
            stored = (await cursor.fetchone() or (0,))[0]
            await connection.rollback()
            await asyncio.sleep(0.01)
        assert stored < COUNT


async def test_a_service_at_work_is_told_to_stop(home: Home) -> None:
    service = await open_pool(home.medai.settings["POSTGRES_DSN"])  # as each of its processes has
    target = home.folder / "while_at_work.zip"
    refused = await home.medai.run("export-data", str(target))
    await service.close()
    assert (refused.code, target.exists()) == (EXIT_CODES["conflict"], False)
    assert "--live" in refused.one_line()
