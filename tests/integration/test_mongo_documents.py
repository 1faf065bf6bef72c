"""What only the MongoDB adapter can show: restarts, errors of the driver, indexes."""

import asyncio
import gc
import shutil
import warnings
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient
from tests.fixtures.stores import free_port, secantus

from medai.errors import SettingsError, StoreError
from medai.infra.documents import Change, Collection, Range
from medai.infra.mongo import MongoDocuments

CALLS = Collection("calls", unique=(("client_id", "note_id"),), indexes=(("stage",),))


async def test_everything_acknowledged_survives_a_kill(short_dir: Path) -> None:
    storage, port = short_dir / "mongo", free_port()
    for attempt in range(2):
        with secantus(short_dir, "--sync-on-commit", storage=str(storage), port=port) as uri:
            store = MongoDocuments(uri, "medai")
            await store.prepare([CALLS])
            documents = [{"_id": str(n), "client_id": "c", "note_id": n} for n in range(50)]
            assert await store.put_many(CALLS, documents) == (50 if attempt == 0 else 20)
            assert len([one async for one in store.find(CALLS, {}, sort=[])]) == 50
            assert not await store.insert(CALLS, {"_id": "x", "client_id": "c", "note_id": 1})
            assert await store.update_many(
                CALLS, {"note_id": Range(below=20)}, Change(set={"seen": True})
            ) == 20  # fmt: skip
            await store.close()
    shutil.rmtree(storage)


def test_an_absent_server_is_a_store_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medai.infra.mongo._SERVER_SELECTION_MS", 200)
    with warnings.catch_warnings():
        # The driver leaves a socket behind when closing cancels its monitor while it connects.
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(use_an_absent_server())
        gc.collect()


async def use_an_absent_server() -> None:
    store = MongoDocuments(f"mongodb://127.0.0.1:{free_port()}", "medai")
    attempts = (
        store.get(CALLS, "a"), store.insert(CALLS, {"_id": "a"}), store.prepare([CALLS]),
        store.put_many(CALLS, [{"_id": "a"}]), store.update(CALLS, "a", Change(unset=["a"])),
        store.groups(CALLS, ["stage"], {}), store.delete(CALLS, {"_id": "a"}),
        anext(aiter(store.find(CALLS, {}, sort=[]))),
    )  # fmt: skip
    for attempt in attempts:
        with pytest.raises(StoreError, match="MONGODB_URI"):
            await attempt
    await store.close()


def test_a_malformed_address_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="MONGODB_URI") as caught:
        MongoDocuments("mongodb://user:sec/ret@host:port", "medai")
    assert "sec" not in caught.value.message
    assert caught.value.__suppress_context__


async def test_unique_keys_leave_out_null_and_have_an_index_for_queries(mongodb_uri: str) -> None:
    store = MongoDocuments(mongodb_uri, "indexes")
    await store.prepare([CALLS])
    async with AsyncMongoClient[dict[str, object]](mongodb_uri) as client:
        indexes = await client["indexes"]["calls"].index_information()
        await client.drop_database("indexes")
    await store.close()
    assert set(indexes) == {"_id_", "key_client_id_note_id", "by_client_id_note_id", "by_stage"}
    assert indexes["key_client_id_note_id"]["unique"]
    assert set(indexes["key_client_id_note_id"]["partialFilterExpression"]) == {
        "client_id", "note_id"
    }  # fmt: skip
