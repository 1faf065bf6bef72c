"""Upgrades of small dumps: refusal at start, a dump restored twice, archives, wrong folders."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from tests.fixtures.application import SECRET
from tests.fixtures.command_line import CommandLine
from tests.migration.old_dump import CLINICS, Doc, old_dump

from medai.bootstrap import open_application
from medai.bootstrap.upgrading import UpgradeOrder, forget_archives, upgrade_report, upgrade_stores
from medai.calls.life import open_steps, transcription_status
from medai.calls.models import Stage, Step
from medai.cli.running import EXIT_CODES
from medai.doctor.examination import examine
from medai.errors import ConflictError, InvalidInputError, StoredDataError
from medai.infra.stores import open_stores
from medai.kit.ids import call_id
from medai.processing.transfer.marker import ImportMarker, Marker
from medai.settings import Settings

MOSCOW = ZoneInfo("Europe/Moscow")
ORDER = UpgradeOrder(None, MOSCOW)
OLD_CALL: Doc = {
    "_id": "aa" * 12, "client_id": CLINICS[0], "note_id": 5, "created_at": 1_790_000_000,
    "transcription_status": "success", "filename_transcription": "note_5_x.txt", "duration": 60,
}  # fmt: skip
OLD_CLINIC: Doc = {"_id": "c1", "name": "Ромашка", "client_id": CLINICS[0]}


async def _fill(database: AsyncDatabase[Doc], **collections: list[Doc]) -> None:
    for name, documents in collections.items():
        await database[name].insert_many([dict(one) for one in documents])


@pytest.mark.parametrize(
    "name", ["calls", "clinics", "tokens", "administrators", "work_schedules",
             "recommendation_analysis_results"]
)  # fmt: skip
async def test_the_service_refuses_every_old_collection(
    name: str, settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    await _fill(database, **{name: old_dump(60).collections[name]})
    with pytest.raises(StoredDataError, match=rf"\({name}\): выполните medai db upgrade"):
        async with open_application(settings):
            pass
    assert await database.list_collection_names() == [name]


async def test_an_empty_database_needs_no_upgrade(settings: Settings) -> None:
    report = await upgrade_stores(settings, ORDER)
    assert report.is_empty
    async with open_application(settings):
        pass
    assert (await upgrade_report(settings, ORDER)).is_empty


async def test_documents_of_ours_beside_old_ones_stay(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    """A dump restored over a service at work: ours win over the same note's old document."""
    await _fill(database, calls=[OLD_CALL], clinics=[OLD_CLINIC])
    await upgrade_stores(settings, ORDER)
    ours = await database["calls"].find_one({"_id": OLD_CALL["_id"]})
    later = {**OLD_CALL, "_id": "bb" * 12}
    await database["calls"].drop_index("key_client_id_note_id")
    await _fill(database, calls=[later, {**OLD_CALL, "_id": "cc" * 12, "note_id": 6}])
    report = await upgrade_stores(settings, ORDER)
    tally = report.parts["calls"]
    assert (tally.read, tally.kept, tally.ours, tally.copies) == (3, 2, 1, 1)
    assert report.archives == {"calls": "old_2_calls"}
    assert await database["calls"].find_one({"_id": OLD_CALL["_id"]}) == ours
    async with open_application(settings) as app:
        kept = await app.calls.get("bb" * 12)
        assert kept is not None
        assert kept.id == OLD_CALL["_id"]


async def test_archives_are_forgotten_on_demand_only(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    await _fill(database, calls=[OLD_CALL], clinics=[OLD_CLINIC])
    await upgrade_stores(settings, ORDER)
    assert await forget_archives(settings) == ["old_1_calls", "old_1_clinics"]
    assert await forget_archives(settings) == []
    assert await database["calls"].count_documents({}) == 1


async def test_a_folder_without_old_files_is_refused_before_anything_is_done(
    settings: Settings, database: AsyncDatabase[Doc], tmp_path: Path
) -> None:
    await _fill(database, calls=[OLD_CALL])
    with pytest.raises(InvalidInputError, match="прежнюю app/data"):
        await upgrade_stores(settings, UpgradeOrder(tmp_path, MOSCOW))
    assert await database.list_collection_names() == ["calls"]


async def test_files_that_come_later_are_brought_in_by_another_run(
    settings: Settings, database: AsyncDatabase[Doc], tmp_path: Path
) -> None:
    folder = tmp_path / "late"
    (folder / "transcription").mkdir(parents=True)
    await _fill(database, calls=[OLD_CALL], clinics=[OLD_CLINIC])
    first = await upgrade_stores(settings, UpgradeOrder(folder, MOSCOW))
    assert first.files is not None
    assert first.files.missing == {"transcript": 1}
    text = "Транскрипция звонка\n\n[00:01] Менеджер: Добрый день\n\n"
    (folder / "transcription" / "note_5_x.txt").write_text(text, encoding="utf-8")
    counts: list[Any] = []
    for _ in range(2):
        report = await upgrade_stores(settings, UpgradeOrder(folder, MOSCOW))
        assert report.files is not None
        counts.append((report.files.brought, report.files.present))
    assert counts == [({"transcript": 1}, {}), ({}, {"transcript": 1})]
    async with open_application(settings) as app:
        call = await app.calls.with_transcript("note_5_x.txt")
        assert call is not None
        assert "Добрый день" in await app.transcript_files.text_of(call)


async def test_a_call_that_ours_would_name_otherwise_keeps_its_old_id(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    """Sync finds it by its note: it is not stored, fetched or paid a second time."""
    await _fill(database, calls=[OLD_CALL], clinics=[OLD_CLINIC])
    await upgrade_stores(settings, ORDER)
    async with open_application(settings) as app:
        found = await app.calls.of_notes(CLINICS[0], [5])
        assert found[5].id == OLD_CALL["_id"] != call_id(CLINICS[0], 5)
        assert found[5].started_at == datetime.fromtimestamp(1_790_000_000, UTC)


async def test_doctor_names_what_stands_in_the_way(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    await _fill(database, calls=[OLD_CALL])
    found = [one async for one in examine(settings, ask_providers=False)]
    (told,) = [one for one in found if one.check == "old_documents"]
    assert "medai db upgrade" in told.message


async def test_what_the_crm_has_is_not_sent_again_after_a_duplicate(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    """Only the poorer document of the note knows that the transcript is on the card."""
    poorer = {
        "_id": "dd" * 12, "client_id": CLINICS[0], "note_id": "5", "created_at": 1_790_000_000,
        "amo_transcription_synced": True, "amo_transcription_note_id": 77,
    }  # fmt: skip
    await _fill(database, calls=[OLD_CALL, poorer], clinics=[OLD_CLINIC])
    await upgrade_stores(settings, ORDER)
    async with open_application(settings) as app:
        call = await app.calls.get("dd" * 12)
        assert call is not None
        assert call.id == OLD_CALL["_id"]
        assert call.crm_note is not None
        assert call.crm_note.note_ids == (77,)
        assert call.stage is Stage.NOTED
        assert open_steps(call) == ()


async def test_what_failed_or_was_not_marked_waits_for_a_person(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    refused = {**OLD_CALL, "_id": "ee" * 12, "note_id": 6, "transcription_status": "failed",
               "call_link": "https://pbx.example.ru/r/1.mp3"}  # fmt: skip
    spent = {**refused, "_id": "ff" * 12, "note_id": 7, "transcription_status": "limit_exceeded"}
    await _fill(database, calls=[OLD_CALL, refused, spent], clinics=[OLD_CLINIC])
    await upgrade_stores(settings, ORDER)
    async with open_application(settings) as app:
        found = await app.calls.of_notes(CLINICS[0], [5, 6, 7])
        statuses = {note: transcription_status(call) for note, call in found.items()}
        assert statuses == {5: "success", 6: "failed", 7: "limit_exceeded"}
        assert [open_steps(call) for call in found.values()] == [(), (), ()]
        assert found[5].crm_note is None
        assert found[5].failures[Step.NOTE].next_try_at is None


async def test_the_commands_as_an_operator_gives_them(
    settings: Settings, database: AsyncDatabase[Doc], tmp_path: Path
) -> None:
    await _fill(database, calls=[OLD_CALL], clinics=[OLD_CLINIC])
    environment = {
        "MEDAI_DATA_DIR": str(tmp_path / "data"), "MONGODB_URI": settings.mongodb_uri,
        "POSTGRES_DSN": settings.postgres_dsn.get_secret_value(), "MEDAI_SECRET": SECRET,
        "MONGODB_NAME": settings.mongodb_name, "COLUMNS": "200",
    }  # fmt: skip
    medai = CommandLine(environment, tmp_path)
    trial = await medai.run("db", "upgrade", "--dry-run", "--timezone", "Asia/Omsk")
    assert trial.out.splitlines()[0] == "Проба: ничего не изменено"
    refused = await medai.run("clinics", "list")
    assert refused.code == EXIT_CODES["stored_data"]
    assert "medai db upgrade" in refused.one_line()
    done = await medai.run("db", "upgrade", "--timezone", "Asia/Omsk")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "Документы обновлены"
    stored = await database["clinics"].find_one({"_id": "c1"})
    assert stored is not None
    assert stored["timezone"] == "Asia/Omsk"


async def test_no_upgrade_under_a_living_service(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    async with open_application(settings):
        await _fill(database, calls=[OLD_CALL])
        with pytest.raises(ConflictError, match="Служба работает"):
            await upgrade_stores(settings, ORDER)
    assert await database["calls"].count_documents({"_id": OLD_CALL["_id"], "stage": None}) == 1
    assert (await upgrade_stores(settings, ORDER)).parts["calls"].kept == 1


async def test_no_upgrade_of_a_half_imported_archive(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    async with AsyncExitStack() as resources:
        documents = (await open_stores(settings, resources)).documents
        await ImportMarker(documents).set(Marker(archive="0" * 64, wiped=True))
    await _fill(database, calls=[OLD_CALL])
    with pytest.raises(ConflictError, match="medai import-data"):
        await upgrade_stores(settings, ORDER)
    assert await database["calls"].count_documents({"_id": OLD_CALL["_id"], "stage": None}) == 1


async def test_boards_are_corrected_on_the_wrong_day_too(
    settings: Settings, database: AsyncDatabase[Doc]
) -> None:
    analysed = {
        **OLD_CALL, "created_date_for_filtering": "2026-09-20", "call_type_id": 1,
        "metrics": {"greeting": 5, "overall_score": 5}, "recommendations": ["Совет"],
    }  # fmt: skip
    await _fill(database, calls=[analysed], clinics=[OLD_CLINIC])
    await upgrade_stores(settings, ORDER)
    days = [one["day"] async for one in database["export_days"].find({"due": True})]
    assert sorted(days) == ["2026-09-20", "2026-09-21"]
