"""deploy/backup.sh and deploy/restore.sh: backup, wipe, restore, compare; and what they refuse."""

import asyncio
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pymongo import MongoClient
from tests.fixtures.application import SECRET, empty_mongodb
from tests.fixtures.call_library import OWN, opened_library
from tests.fixtures.command_line import SOURCES, Finished, foreign_settings
from tests.fixtures.stored import Rows, documents_of, rows_of
from tests.fixtures.stores import empty_database

from medai.bootstrap import open_application
from medai.calls.models import Stage
from medai.processing.ports import Job, Task
from medai.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
_TABLES = """
SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Held:
    """Everything an installation holds."""

    documents: Rows
    metrics: Rows
    tables: dict[str, list[str]]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """An installation that no process has open."""

    settings: Settings
    folder: Path

    async def held(self) -> Held:
        async with open_application(self.settings) as app:
            return Held(
                documents=await documents_of(app),
                metrics=await rows_of(app),
                tables=await tables_of(app.pool),
                files=self.files(),
            )

    def files(self) -> dict[str, str]:
        data = self.settings.data_dir
        found = (path for part in ("files", "keys") for path in (data / part).rglob("*"))
        return {
            str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in found
            if path.is_file()
        }

    async def run(self, script: str, *words: str, **changes: str) -> Finished:
        """Run a script of deploy/ as a person does, with `medai` on the PATH."""
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "medai").write_text(f'#!/bin/sh\nexec {sys.executable} -m medai "$@"\n')
        (programs / "medai").chmod(0o755)
        values = {
            **foreign_settings(),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(SOURCES),
            "MEDAI_DATA_DIR": str(self.settings.data_dir),
            "POSTGRES_DSN": self.settings.postgres_dsn.get_secret_value(),
            "MONGODB_URI": self.settings.mongodb_uri,
            "MONGODB_NAME": self.settings.mongodb_name,
            "MEDAI_SECRET": SECRET,
            **changes,
        }
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            DEPLOY / script, *words, cwd=self.folder, env=values, stdout=pipe, stderr=pipe
        )
        async with asyncio.timeout(90):
            out, err = await process.communicate()
        return Finished(process.returncode or 0, out.decode(), err.decode())

    async def backed_up(self, **changes: str) -> Path:
        ended = await self.run("backup.sh", "backups", **changes)
        assert (ended.code, ended.err) == (0, ""), ended
        (line,) = (one for one in ended.out.splitlines() if one.startswith("/"))
        return Path(line)

    def wipe(self) -> None:
        """What a lost disk leaves: empty databases."""
        shutil.rmtree(self.settings.data_dir)
        if self.settings.mongodb_uri:
            with MongoClient[dict[str, Any]](self.settings.mongodb_uri) as client:
                client.drop_database(self.settings.mongodb_name)
        if dsn := self.settings.postgres_dsn.get_secret_value():
            with psycopg.connect(dsn, autocommit=True) as connection:
                for schema in {schema for schema, _ in connection.execute(_TABLES.encode())}:
                    connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
                connection.execute("CREATE SCHEMA public")


async def tables_of(pool: Any) -> dict[str, list[str]]:
    """Every table of every schema, jobs and the ledger included: its rows as sorted text."""
    found: dict[str, list[str]] = {}
    async with pool.connection() as connection:
        for schema, table in await (await connection.execute(_TABLES.encode())).fetchall():
            query = SQL("SELECT t::text FROM {}.{} AS t ORDER BY 1")
            rows = await connection.execute(query.format(Identifier(schema), Identifier(table)))
            found[f"{schema}.{table}"] = [row[0] for row in await rows.fetchall()]
    return found


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "postgres"))


@pytest.fixture
async def place(kind: str, request: pytest.FixtureRequest, short_dir: Path) -> AsyncIterator[Place]:
    """Calls with recordings, transcripts and scores, metrics, a waiting job, an API key."""
    folder = short_dir / f"b{secrets.token_hex(3)}"
    async with AsyncExitStack() as stack:
        changes: dict[str, Any] = {}
        dsn = ""
        if kind != "embedded":
            server = request.getfixturevalue("postgres_server")
            dsn = stack.enter_context(empty_database(server))
        if kind == "mongodb":
            uri = request.getfixturevalue("mongodb_uri")
            uri, name = await stack.enter_async_context(empty_mongodb(uri))
            changes = {"mongodb_uri": uri, "mongodb_name": name}
        async with opened_library(dsn, folder / "data", api_key="", **changes) as library:
            for note_id in (101, 102, 103):
                await library.add_done(
                    note_id, administrator="Мария «О'Нил»\t\\N", stage=Stage.ANALYSED
                )
            call = await library.add(104)
            await library.app.jobs.defer(
                Job(Task.TRANSCRIBE, {"call_id": call.id}, key=call.id, lock=call.id)
            )
            await library.app.exports.export(OWN)
            await library.app.keys.create("ключ", [OWN], may_write=True, by="owner")
            settings = library.app.settings
        yield Place(settings, folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("kind", ["postgres", "mongodb", "embedded"], indirect=True)
async def test_backup_wipe_restore_compare(place: Place) -> None:
    before = await place.held()
    assert before.metrics["call_details"], "there is something to compare"
    assert any(name.startswith("files/") for name in before.files)
    assert "keys/api-key" in before.files
    backup = await place.backed_up()
    place.wipe()
    restored = await place.run("restore.sh", str(backup))
    assert (restored.code, restored.err) == (0, ""), restored
    assert await place.held() == before


@pytest.mark.parametrize("kind", ["mongodb"], indirect=True)
async def test_a_restore_over_something_is_asked_for_and_leaves_nothing_of_it(
    place: Place,
) -> None:
    before = await place.held()
    left = place.settings.data_dir / ".restoring-killed"
    left.mkdir()
    backup = await place.backed_up()
    async with open_application(place.settings) as app:
        await app.clinics.change(OWN, lambda clinic: clinic.model_copy(update={"name": "Другая"}))
        await app.files.write("audio/later.mp3", b"later")
        async with app.pool.connection() as connection:
            await connection.execute("CREATE TABLE later (id int)")
    with MongoClient[dict[str, Any]](place.settings.mongodb_uri) as client:
        client[place.settings.mongodb_name]["later"].insert_one({"_id": 1})
    changed = await place.held()
    refused = await place.run("restore.sh", str(backup))
    assert (refused.code, "--replace" in refused.one_line()) == (1, True)
    async with open_application(place.settings):
        refused = await place.run("restore.sh", str(backup), "--replace")
    assert (refused.code, "stop the services first" in refused.one_line()) == (1, True)
    assert " medai " in refused.one_line(), "tells who is in the way"
    assert await place.held() == changed
    assert (await place.run("restore.sh", str(backup), "--replace")).code == 0
    assert await place.held() == before
    with MongoClient[dict[str, Any]](place.settings.mongodb_uri) as client:
        assert "later" not in client[place.settings.mongodb_name].list_collection_names()
    assert not left.exists(), "a killed restore is swept up, and never backed up"


@pytest.mark.parametrize("broken", ["byte", "part", "newer"])
def test_a_damaged_backup_is_refused_before_anything_is_opened(broken: str, tmp_path: Path) -> None:
    backup = tmp_path / "medai-20260101T000000Z"
    backup.mkdir()
    parts = {"postgres.dump": b"PGDMP", "manifest": b"format 1\n", "files.tar.gz": b"x"}
    if broken == "newer":
        parts["manifest"] = b"format 2\n"
    for name, content in parts.items():
        (backup / name).write_bytes(content)
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in parts.items()]
    (backup / "SHA256SUMS").write_text("\n".join(sums[1:] if broken == "part" else sums) + "\n")
    if broken == "byte":
        (backup / "files.tar.gz").write_bytes(b"y")
    told = {"byte": "damaged", "part": "not whole: postgres.dump", "newer": "newer version"}
    script = [str(DEPLOY / "restore.sh"), str(backup), "--replace"]
    ended = subprocess.run(  # noqa: S603 - a program of ours; `medai` is not on its PATH
        script, env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, told[broken] in ended.stderr) == (1, True), ended


async def test_old_backups_go_and_nothing_else(place: Place) -> None:
    backups = place.folder / "backups"
    old = [backups / f"medai-2026010{day}T000000Z" for day in (1, 2, 3)]
    foreign = [backups / name for name in ("medai-by-hand", "other", "medai-20260101T000000Z.old")]
    for folder in (*old, *foreign, backups / ".medai-20260101T000000Z.partial"):
        folder.mkdir(parents=True)
    made = await place.backed_up(BACKUP_KEEP="2")
    kept = sorted(path for path in backups.iterdir() if path.is_dir())
    assert kept == sorted([old[-1], made, *foreign])
    assert all(path.stat().st_mode & 0o077 == 0 for path in (made, *made.iterdir()))


@pytest.mark.parametrize("name", ["data/inner", "link"])
async def test_backups_inside_the_data_folder_are_refused(name: str, place: Place) -> None:
    (place.folder / "link").symlink_to(place.settings.data_dir)
    ended = await place.run("backup.sh", name)
    assert (ended.code, "inside the data folder" in ended.one_line()) == (1, True)


async def test_a_backup_that_fails_leaves_none_and_removes_none(place: Place) -> None:
    old = place.folder / "backups" / "medai-20260101T000000Z"
    old.mkdir(parents=True)
    nowhere = "mongodb://u:hidden-word@127.0.0.1:1/?serverSelectionTimeoutMS=300"
    ended = await place.run("backup.sh", "backups", BACKUP_KEEP="1", MONGODB_URI=nowhere)
    assert (ended.code, "MongoDB не отвечает" in ended.one_line()) == (1, True)
    assert "hidden-word" not in ended.out + ended.err
    assert [path for path in old.parent.iterdir() if path.is_dir()] == [old]
