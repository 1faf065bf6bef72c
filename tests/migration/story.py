"""The upgrade of a dump as an operator lives it: a trial, a kill, a second start, a third."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database
from tests.fixtures.application import API_KEY, SECRET, settings_for
from tests.fixtures.command_line import CommandLine, Finished
from tests.migration.old_dump import Dump, old_dump
from tests.migration.old_files import Placed, place_files

from medai.bootstrap import open_application
from medai.bootstrap.upgrading import UpgradeOrder, upgrade_report, upgrade_stores
from medai.cli.upgrading import upgrade_lines
from medai.errors import StoredDataError
from medai.settings import Settings

DATABASE = "medai"
KILL_AFTER = 3_000
Doc = dict[str, Any]
Digests = dict[str, str]


@dataclass(frozen=True, slots=True)
class Story:
    """What was there at each step; digests are of whole collections."""

    dump: Dump
    placed: Placed
    medai: CommandLine
    database: Database[Doc]
    before: Digests
    trial: str
    after_trial: Digests
    killed_at: int
    half: Doc
    refused_half: str
    upgrade: Finished
    after: Digests
    again: str
    after_again: Digests

    def one(self, name: str, doc_id: str) -> Doc:
        found = self.database[name].find_one({"_id": doc_id})
        assert found is not None, (name, doc_id)
        return found


async def lived(client: MongoClient[Doc], uri: str, dsn: str, folder: Path) -> Story:
    """All of it, on an empty MongoDB."""
    dump, files = old_dump(), folder / "app" / "data"
    placed = place_files(files, dump)
    database = client[DATABASE]
    for name, documents in dump.collections.items():
        database[name].insert_many(documents)
    medai = CommandLine(_settings(uri, dsn, folder), folder)
    upgrade = ("db", "upgrade", "--old-files", str(files))
    before = digests(database)
    settings = settings_for("http://127.0.0.1:9", dsn, folder / "data", (uri, DATABASE))
    order = UpgradeOrder(files, ZoneInfo("Europe/Moscow"))
    trial = "\n".join(upgrade_lines(await upgrade_report(settings, order)))
    after_trial = digests(database)
    killed_at, half = await _kill_half_way(medai, database, upgrade)
    refused_half = await _refusal(settings)
    whole = await medai.run(*upgrade)
    after = digests(database)
    again = "\n".join(upgrade_lines(await upgrade_stores(settings, order)))
    return Story(
        dump, placed, medai, database, before, trial, after_trial, killed_at, half,
        refused_half, whole, after, again, digests(database),
    )  # fmt: skip


def digests(database: Database[Doc]) -> Digests:
    """A digest per collection that holds anything."""
    raw = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)
    found = {}
    for name in sorted(database.list_collection_names()):
        digest = sha256()
        documents: Any = database.get_collection(name, raw).find({}, sort=[("_id", 1)])
        for document in documents:
            digest.update(document.raw)
        if digest.digest() != sha256().digest():
            found[name] = digest.hexdigest()
    return found


async def _refusal(settings: Settings) -> str:
    try:
        async with open_application(settings):
            return ""
    except StoredDataError as error:
        return error.message


async def _kill_half_way(
    medai: CommandLine, database: Database[Doc], words: tuple[str, ...]
) -> tuple[int, Doc]:
    process = await medai.start(*words)
    while process.returncode is None:
        state = database["upgrade_state"].find_one({"_id": "upgrade"}) or {"parts": {}}
        if state["parts"].get("calls", {}).get("read", 0) >= KILL_AFTER:
            process.kill()
            break
        await asyncio.sleep(0.02)
    await process.wait()
    found = database["upgrade_state"].find_one({"_id": "upgrade"})
    assert found is not None
    return database["calls"].count_documents({}), found


def _settings(uri: str, dsn: str, folder: Path) -> dict[str, str]:
    return {
        "MEDAI_DATA_DIR": str(folder / "data"), "POSTGRES_DSN": dsn, "MONGODB_URI": uri,
        "MONGODB_NAME": DATABASE, "MEDAI_SECRET": SECRET, "API_KEY": API_KEY, "COLUMNS": "200",
    }  # fmt: skip
