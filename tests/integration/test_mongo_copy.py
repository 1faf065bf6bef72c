"""A MongoDB database as files and back: byte for byte, whatever is in it."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from medai.errors import ConflictError, InvalidInputError, StoreError
from medai.infra import mongo_copy

RAW = CodecOptions(document_class=RawBSONDocument)
ODD: list[dict[str, Any]] = [
    {"_id": ObjectId(), "note_id": Int64(2**40), "when": datetime(2026, 1, 2, tzinfo=UTC)},
    {"_id": 7, "legacy": {"a.b": [None, True, 1.5, Decimal128("1.10")], "$c": Regex("x", "i")}},
    {"_id": "строка", "bytes": Binary(b"\0\xff"), "text": "a\0b"},
]


@pytest.fixture
def database(mongodb_uri: str) -> Iterator[Database[dict[str, Any]]]:
    name = f"t{secrets.token_hex(6)}"
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client[name]
        client.drop_database(name)


def raw(database: Database[dict[str, Any]]) -> dict[str, list[bytes]]:
    opened = database.with_options(RAW)
    names = sorted(opened.list_collection_names())
    return {name: sorted(bytes(one.raw) for one in opened[name].find()) for name in names}


def test_what_is_written_comes_back_and_nothing_else(
    database: Database[dict[str, Any]], mongodb_uri: str, tmp_path: Path
) -> None:
    database["calls"].insert_many(ODD)
    database["many.things"].insert_many([{"_id": n, "n": n} for n in range(1203)])
    before = raw(database)
    counts = mongo_copy.dump(mongodb_uri, database.name, tmp_path)
    assert counts == {"calls": 3, "many.things": 1203}
    database["calls"].update_one({"_id": 7}, {"$set": {"legacy": None}})
    database["later"].insert_one({"_id": 1})
    with pytest.raises(ConflictError):
        mongo_copy.load(mongodb_uri, database.name, tmp_path, replace=False)
    assert mongo_copy.load(mongodb_uri, database.name, tmp_path, replace=True) == counts
    assert raw(database) == before


def test_a_copy_goes_into_an_empty_database_of_another_name(
    database: Database[dict[str, Any]], mongodb_uri: str, tmp_path: Path
) -> None:
    database["calls"].insert_many(ODD)
    mongo_copy.dump(mongodb_uri, database.name, tmp_path)
    other = f"{database.name}b"
    try:
        mongo_copy.load(mongodb_uri, other, tmp_path, replace=False)
        assert raw(database.client[other]) == raw(database)
    finally:
        database.client.drop_database(other)


def test_damage_and_absence_are_told(
    database: Database[dict[str, Any]], mongodb_uri: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError):
        mongo_copy.load(mongodb_uri, database.name, tmp_path / "none", replace=False)
    database["calls"].insert_many(ODD)
    mongo_copy.dump(mongodb_uri, database.name, tmp_path)
    file = tmp_path / database.name / "calls.bson"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(InvalidInputError):
        mongo_copy.load(mongodb_uri, database.name, tmp_path, replace=True)
    with pytest.raises(StoreError):
        mongo_copy.dump("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", "x", tmp_path)
