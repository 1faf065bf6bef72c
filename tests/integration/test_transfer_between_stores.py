"""Data from one store to the other and back: nothing is lost, nothing is changed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient
from tests.fixtures.moving import fresh_mongodb, made_archive, opened_transfer, quiet, stored_in

from medai.bootstrap.transfer import Transfer
from medai.bot.collections import BOT_DIALOGUES
from medai.calls.repository import CALLS
from medai.clinics.repository import CLINICS
from medai.errors import ConflictError, InvalidInputError, StoredDataError
from medai.infra.documents import Document, storable
from medai.infra.jsonb import canonical
from medai.infra.postgres import open_pool
from medai.ledger.models import Effect, EffectKind, EffectState
from medai.processing.stops import STOPS
from medai.processing.transfer.marker import TRANSFERS, ImportMarker, Marker
from medai.transcription.repository import TRANSCRIPTS

NOON = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)

keys = st.text(min_size=1, max_size=8).filter(lambda key: "." not in key and key[0] != "$")
moments = st.integers(-(10**12), 10**13).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from([0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.0, 1e16, 1e300])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "a\0b", "1e+20", '"1e+20\\', "\ud800", "\u202eтекст", "🦷", "{}", "null"]
    )
    | moments
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
odd_documents = st.dictionaries(keys.filter(lambda key: key != "_id"), values, max_size=6)


def drawn(count: int) -> list[Document]:
    """Many odd documents with ids that sort oddly."""
    found: list[Document] = []

    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None)
    @given(st.text(max_size=6), odd_documents)
    def draw(name: str, fields: Document) -> None:
        found.append({**fields, "_id": f"{name}:{len(found)}"})

    draw()
    return found


def texts(stored: dict[str, list[Document]]) -> dict[str, list[str]]:
    """Documents as texts that tell 1 from 1.0 and null from nothing."""
    return {name: [canonical(one) for one in documents] for name, documents in stored.items()}


def effect(number: int, **changes: Any) -> Effect:
    fields: dict[str, Any] = {
        "id": f"работа:{number}", "kind": EffectKind.RECOGNITION, "provider": "elevenlabs",
        "model": "scribe_v2", "client_id": "c", "call_id": None, "state": EffectState.DONE,
        "requested_at": NOON, "lease_until": NOON, "finished_at": NOON, "provider_ref": None,
        "seconds": Decimal("61.20"), "channels": 2, "input_tokens": 0, "cached_tokens": 0,
        "output_tokens": 0, "cost": Decimal("0.0067320"), "currency": "USD", "reason": None,
        "decision": None, "decided_by": None, "decided_at": None,
    }  # fmt: skip
    return Effect(**{**fields, **changes})


async def bill(transfer: Transfer) -> dict[str, Effect]:
    return {one.id: one async for one in transfer.installation.effects.all()}


@pytest.fixture
async def from_postgres(prepared_dsn: str, tmp_path: Path) -> AsyncIterator[Transfer]:
    async with opened_transfer(prepared_dsn, tmp_path / "data") as opened:
        yield opened


@pytest.fixture
async def mongodb(mongodb_uri: str) -> AsyncIterator[tuple[str, str]]:
    async with fresh_mongodb(mongodb_uri) as address:
        yield address


@pytest.fixture
async def to_mongodb(
    mongodb: tuple[str, str], prepared_dsn: str, tmp_path: Path
) -> AsyncIterator[Transfer]:
    """The same installation after MONGODB_URI was set."""
    async with opened_transfer(prepared_dsn, tmp_path / "data", mongodb) as opened:
        yield opened


async def moved(source: Transfer, target: Transfer, path: Path, *, replace: bool = False) -> None:
    await source.packing.pack(path, files=False, live=False, said=quiet)
    await target.unpacking.unpack(path, replace=replace, said=quiet)


async def test_there_and_back_every_value_is_the_same(
    from_postgres: Transfer, to_mongodb: Transfer, tmp_path: Path
) -> None:
    odd = drawn(300)
    documents = from_postgres.installation.documents
    for place, one in enumerate((TRANSCRIPTS, STOPS, BOT_DIALOGUES)):
        await documents.put_many(one, odd[place::3])
    await from_postgres.installation.effects.restore([effect(n) for n in range(7)])
    before = texts(await stored_in(from_postgres))
    meant = sorted(canonical(storable(one)) for one in odd)
    assert sorted(text for found in before.values() for text in found) == meant

    await moved(from_postgres, to_mongodb, tmp_path / "there.zip")
    assert texts(await stored_in(to_mongodb)) == before

    await moved(to_mongodb, from_postgres, tmp_path / "back.zip", replace=True)
    assert texts(await stored_in(from_postgres)) == before
    assert await bill(from_postgres) == {one.id: one for one in map(effect, range(7))}


async def test_a_store_with_data_is_left_alone(
    from_postgres: Transfer, to_mongodb: Transfer, tmp_path: Path
) -> None:
    clinic = {"_id": "1", "client_id": "a"}
    theirs = {"_id": "2", "client_id": "b"}
    await from_postgres.installation.documents.put_many(CLINICS, [clinic])
    await to_mongodb.installation.documents.put_many(CLINICS, [theirs])
    await to_mongodb.installation.documents.put_many(TRANSCRIPTS, [{"_id": "9"}])
    before = await stored_in(to_mongodb)
    with pytest.raises(ConflictError, match="--replace"):
        await moved(from_postgres, to_mongodb, tmp_path / "a.zip")
    assert await stored_in(to_mongodb) == before
    assert await ImportMarker(to_mongodb.installation.documents).read() is None
    await moved(from_postgres, to_mongodb, tmp_path / "a.zip", replace=True)
    assert await stored_in(to_mongodb) == await stored_in(from_postgres)


async def test_an_unfinished_import_goes_on_with_its_own_archive_only(
    from_postgres: Transfer, to_mongodb: Transfer, tmp_path: Path
) -> None:
    source, target = from_postgres.installation.documents, to_mongodb.installation.documents
    await source.put_many(
        CALLS, [{"_id": str(n), "client_id": "a", "note_id": n} for n in range(9)]
    )
    path = tmp_path / "a.zip"
    await from_postgres.packing.pack(path, files=False, live=False, said=quiet)
    marker = ImportMarker(target)
    await marker.set(Marker(archive="0" * 64, wiped=True))
    await target.put_many(CALLS, [{"_id": "half"}])
    with pytest.raises(ConflictError, match="другой архив"):
        await to_mongodb.unpacking.unpack(path, replace=False, said=quiet)
    with pytest.raises(ConflictError, match="не закончен"):
        await to_mongodb.packing.pack(tmp_path / "b.zip", files=False, live=True, said=quiet)
    await to_mongodb.unpacking.unpack(path, replace=True, said=quiet)
    assert await stored_in(to_mongodb) == await stored_in(from_postgres)
    assert await target.get(TRANSFERS, "import") is None


async def test_a_damaged_archive_changes_nothing(from_postgres: Transfer, tmp_path: Path) -> None:
    await from_postgres.installation.documents.put_many(CALLS, [{"_id": "here"}])
    before = await stored_in(from_postgres)
    documents = {"calls": [{"_id": f"{n:04}", "n": n} for n in range(1_000)]}
    whole = made_archive(tmp_path / "a.zip", documents).read_bytes()
    for spoiled in (whole[: len(whole) // 2], whole.replace(b"calls.jsonl", b"ca11s.jsonl")):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(spoiled)
        with pytest.raises(InvalidInputError, match="ничего не записано"):
            await from_postgres.unpacking.unpack(cut, replace=True, said=quiet)
        assert await stored_in(from_postgres) == before


async def test_a_service_at_work_is_copied_but_never_written_over(
    from_postgres: Transfer, prepared_dsn: str, tmp_path: Path
) -> None:
    await from_postgres.installation.documents.put_many(CALLS, [{"_id": "here"}])
    path = tmp_path / "a.zip"
    service = await open_pool(prepared_dsn)  # as each of its processes has
    with pytest.raises(ConflictError, match="--live"):
        await from_postgres.packing.pack(path, files=False, live=False, said=quiet)
    assert (await from_postgres.packing.pack(path, files=False, live=True, said=quiet)).live
    with pytest.raises(ConflictError, match="остановите"):
        await from_postgres.unpacking.unpack(path, replace=True, said=quiet)
    assert (await stored_in(from_postgres))["calls"] == [{"_id": "here"}]
    await service.close()
    await from_postgres.unpacking.unpack(path, replace=True, said=quiet)


async def test_an_archive_of_a_former_version_may_hold_what_is_replaced_today(
    from_postgres: Transfer, tmp_path: Path
) -> None:
    path = made_archive(tmp_path / "a.zip", {"calls": [{"_id": "1", "text": "a\0b", "n": 1.0}]})
    await from_postgres.unpacking.unpack(path, replace=False, said=quiet)
    (found,) = (await stored_in(from_postgres))["calls"]
    assert found == {"_id": "1", "text": "a\N{REPLACEMENT CHARACTER}b", "n": 1.0}


async def test_files_go_along_and_one_that_is_there_is_not_written_again(
    from_postgres: Transfer, prepared_dsn: str, tmp_path: Path
) -> None:
    files = from_postgres.installation.files
    content = {
        "audio/a.mp3": bytes(range(256)) * 4_000,
        "recognitions/1/x.json": b"",
        "отчёт.pdf": b"1",
    }
    for name, data in content.items():
        await files.write(name, data)
    path = tmp_path / "a.zip"
    made = await from_postgres.packing.pack(path, files=True, live=False, said=quiet)
    assert made.files is not None
    assert made.files.lines == len(content)
    async with opened_transfer(prepared_dsn, tmp_path / "other") as other:
        await other.installation.files.write("audio/a.mp3", b"another one")
        await other.unpacking.unpack(path, replace=True, said=quiet)
        found = {name: await other.installation.files.read(name) for name in content}
        assert found == content
        kept = [at async for _, at in other.installation.files.names("")]
        await other.unpacking.unpack(path, replace=True, said=quiet)
        assert [at async for _, at in other.installation.files.names("")] == kept


async def test_of_two_bills_the_later_line_stays(from_postgres: Transfer) -> None:
    effects = from_postgres.installation.effects
    later = NOON + timedelta(minutes=5)
    waiting = effect(1, state=EffectState.REQUESTED, finished_at=None)
    ended = effect(1, finished_at=later)
    await effects.restore([waiting, effect(2)])
    await effects.restore([ended])
    assert (await bill(from_postgres))[ended.id] == ended
    await effects.restore([waiting])
    assert await bill(from_postgres) == {one.id: one for one in (ended, effect(2))}
    assert await effects.missing([waiting, ended, effect(2)]) == []
    assert await effects.missing([effect(3), effect(2, cost=Decimal(9))]) == [
        "работа:3",
        "работа:2",
    ]


@pytest.mark.parametrize("odd", [
    {"_id": ObjectId()},
    {"_id": "1", "price": Decimal128("1.10")},
    {"_id": "1", "a.b": 1},
    {"_id": "1", "in": {"$set": 1}},
    {"_id": "1", "": 1},
    {"_id": "1", "bytes": b"12"},
], ids=["object_id", "decimal", "dot", "dollar", "empty", "bytes"])  # fmt: skip
async def test_what_no_store_of_ours_takes_is_told_and_no_archive_is_left(
    odd: Document, mongodb: tuple[str, str], to_mongodb: Transfer, tmp_path: Path
) -> None:
    uri, database = mongodb
    async with AsyncMongoClient[Document](uri) as client:
        await client[database]["calls"].insert_one(odd)
    with pytest.raises(StoredDataError, match=r"calls.*medai db upgrade"):
        await to_mongodb.packing.pack(tmp_path / "a.zip", files=False, live=False, said=quiet)
    assert list(tmp_path.glob("*.zip")) == list(tmp_path.glob(".*.part")) == []  # noqa: ASYNC240


async def test_characters_that_stores_refuse_are_replaced_and_counted(
    mongodb: tuple[str, str], to_mongodb: Transfer, from_postgres: Transfer, tmp_path: Path
) -> None:
    uri, database = mongodb
    async with AsyncMongoClient[Document](uri) as client:
        await client[database]["transcripts"].insert_many(
            [{"_id": "1", "text": "a\0b"}, {"_id": "2"}]
        )
    path = tmp_path / "a.zip"
    made = await to_mongodb.packing.pack(path, files=False, live=False, said=quiet)
    assert made.cleaned == 1
    await from_postgres.unpacking.unpack(path, replace=False, said=quiet)
    found = await from_postgres.installation.documents.get(TRANSCRIPTS, "1")
    assert found == {"_id": "1", "text": "a\N{REPLACEMENT CHARACTER}b"}
