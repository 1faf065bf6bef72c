"""Dumps that are odder than contract 2: nothing stops the upgrade, nothing is lost."""

import struct
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import bson
import pytest
from bson import ObjectId
from bson.codec_options import CodecOptions
from pymongo.asynchronous.database import AsyncDatabase
from tests.migration.old_dump import CLINICS, Doc

from medai.bootstrap import open_application
from medai.bootstrap.upgrading import UpgradeOrder, upgrade_report, upgrade_stores
from medai.infra.mongo_dump import LENIENT
from medai.migration.report import shown_id
from medai.migration.values import moment, plain, size
from medai.settings import Settings

ORDER = UpgradeOrder(None, ZoneInfo("Europe/Moscow"))
CLINIC: Doc = {"_id": "c1", "name": "Ромашка", "client_id": CLINICS[0]}
MEGABYTE = 1024 * 1024


def _call(number: int, **more: Any) -> Doc:
    return {"_id": ObjectId(f"{number:024x}"), "client_id": CLINICS[0], "note_id": number,
            "created_at": 1_790_000_000 + number, **more}  # fmt: skip


async def test_a_dump_restored_once_more_after_a_kill_is_upgraded_anew(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    """The checklist's way back; a tool restores its own collections and leaves ours."""
    old = {"clinics": [CLINIC], "calls": [_call(n) for n in range(1, 6)]}
    for name, documents in old.items():
        await database[name].insert_many(documents)
    await upgrade_stores(settings, ORDER)
    state = {"finished": False, "parts.calls.read": 2}  # as a kill behind the second call
    await database["upgrade_state"].update_one({"_id": "upgrade"}, {"$set": state})
    for name, documents in old.items():
        await database[name].drop()
        await database[name].insert_many(documents)
    trial = await upgrade_report(settings, ORDER)
    assert {name: tally.read for name, tally in trial.parts.items()} == {"clinics": 1, "calls": 5}
    report = await upgrade_stores(settings, ORDER)
    assert report.archives == {"clinics": "old_2_clinics", "calls": "old_2_calls"}
    assert report.parts["calls"].kept == 5
    async with open_application(settings) as app:
        assert len(await app.calls.of_notes(CLINICS[0], list(range(1, 6)))) == 5


async def test_ids_without_a_text_of_their_own_get_one(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    ids: list[Any] = [None, True, {"a": 1}, {"a": 2}, " "]
    await database["clinics"].insert_one(CLINIC)
    await database["calls"].insert_many(
        [_call(number, _id=one) for number, one in enumerate(ids, 1)]
    )
    await database["administrators"].insert_many(
        [{"_id": one, "clinic_id": "c1", "name": "Анна"} for one in ids]
    )
    report = await upgrade_stores(settings, ORDER)
    assert report.parts["calls"].kept == len(ids)
    assert report.parts["administrators"].kept == len(ids)
    async with open_application(settings) as app:
        calls = await app.calls.of_notes(CLINICS[0], [1, 2, 3, 4, 5])
    assert all(call.id.strip() for call in calls.values())
    assert (await upgrade_stores(settings, ORDER)).is_empty


async def test_documents_that_grow_beyond_what_mongodb_takes_keep_what_matters(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    grows = [ObjectId() for _ in range(500_000)]  # ids become texts: 10 MB become 20
    await database["clinics"].insert_one(CLINIC)
    await database["calls"].insert_one(_call(1, phone="+79000000001", trace=grows, word="мало"))
    await database["calls"].insert_one({"_id": ObjectId(), "trace": grows, "word": "мало"})
    report = await upgrade_stores(settings, ORDER)
    assert report.parts["calls"].seen["too_large"].count == 2
    kept = await database["calls"].find_one({"note_id": 1})
    aside = await database["upgrade_set_aside"].find_one({})
    assert kept is not None
    assert aside is not None
    assert (kept["phone"], kept["legacy"]["word"]) == ("+79000000001", "мало")
    assert aside["document"]["word"] == "мало"
    assert "trace" not in kept["legacy"]
    assert await database["old_1_calls"].count_documents({}) == 2


async def test_owners_are_read_from_any_list_and_never_lost_in_silence(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    written: dict[str, Any] = {"a": "501, 502", "b": [503, None, " 504 "], "c": [505, "@anna"]}
    await database["clinics"].insert_many(
        [{"_id": n, "client_id": n, "telegram_ids": ids} for n, ids in written.items()]
    )
    report = await upgrade_stores(settings, ORDER)
    found = {one["_id"]: one async for one in database["clinics"].find({})}
    owners = {name: clinic["telegram_ids"] for name, clinic in found.items()}
    assert owners == {"a": [501, 502], "b": [503, 504], "c": [505]}
    assert report.parts["clinics"].seen["unreadable_telegram_ids"].count == 1
    assert found["c"]["legacy"]["telegram_ids"] == [505, "@anna"]
    assert "telegram_ids" not in found["a"]["legacy"]


async def test_a_duration_no_call_has_does_not_keep_its_day_from_the_boards(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    await database["clinics"].insert_one(CLINIC)
    await database["calls"].insert_many(
        [
            _call(1, duration=10**12, duration_formatted="1:30"),
            _call(2, duration="90"),
            _call(3, duration=-5),
        ]
    )
    report = await upgrade_stores(settings, ORDER)
    assert report.parts["calls"].seen["unreadable_duration"].count == 2
    found = {one["note_id"]: one async for one in database["calls"].find({})}
    assert [found[n]["duration_seconds"] for n in (1, 2, 3)] == [90, 90, 0]
    assert found[1]["legacy"]["duration"] == 10**12


async def test_means_of_criteria_with_dots_in_their_names_are_kept(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    await database["clinics"].insert_one(CLINIC)
    week = {"client_id": CLINICS[0], "start_date": "2026-09-07", "end_date": "2026-09-13"}
    means = {"a.b": 4, "greeting": 8}
    await database["recommendation_analysis_results"].insert_one({**week, "avg_scores": means})
    report = await upgrade_stores(settings, ORDER)
    assert report.parts["recommendation_analysis_results"].kept == 1


@pytest.mark.parametrize("doc_id", ["79000000001", "+79000000001", "admin_Анна", "anna"])
def test_ids_that_may_be_of_people_are_not_printed(doc_id: str) -> None:
    assert doc_id not in shown_id(doc_id)


@pytest.mark.parametrize("doc_id", ["66" * 12, "6" * 24, "12345", CLINICS[0], f"old-{'6a' * 12}"])
def test_other_ids_are(doc_id: str) -> None:
    assert shown_id(doc_id) == doc_id


def test_moments_and_texts_that_python_cannot_hold_are_read() -> None:
    """A genuine server stores them; the one of the tests refuses them."""
    data = bson.encode({"at": datetime(2000, 1, 1, tzinfo=UTC), "text": "ABC"})
    data = data.replace(struct.pack("<q", 946_684_800_000), struct.pack("<q", 2**62))
    found = bson.decode(data.replace(b"ABC", b"\xff\xfeC"), CodecOptions(**LENIENT))
    assert moment(found["at"]) is None
    assert str(2**62) in plain(found)["at"]
    assert found["text"].endswith("C")


def test_moments_of_extended_json() -> None:
    told = moment({"$date": {"$numberLong": "1790000000000"}})
    assert told == moment(1_790_000_000)


@pytest.mark.parametrize(
    "value",
    [{}, {"имя": "Анна" * 100}, {"a": [1.5, None, True, 2**62] * 1000}, {"a": {"b": [["x"]]}}],
)
def test_the_size_of_a_document_is_never_told_too_small(value: Doc) -> None:
    actual = len(bson.encode(value))
    assert actual <= size(value) <= 3 * actual + 8
