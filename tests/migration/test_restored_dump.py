"""A restored dump of the replaced system: upgraded, killed half-way, upgraded on, served."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient
from tests.fixtures.application import settings_for
from tests.fixtures.service import Doors, doors_of
from tests.fixtures.stored import rows_of
from tests.fixtures.stores import empty_database, secantus
from tests.fixtures.transcription import SettableClock
from tests.migration import expected_tables as expected
from tests.migration.old_dump import CLINICS, Doc, Truth
from tests.migration.old_files import REPORT, SECRET, SOUND
from tests.migration.story import DATABASE, KILL_AFTER, Story, lived

from medai.api.routers.call_shapes import CallList
from medai.bootstrap import open_application
from medai.members.models import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
SIZE = 10_000


@pytest.fixture(scope="module")
def mongodb(short_dir: Path) -> Iterator[str]:
    """A server of its own: its database has the product's usual name."""
    with secantus(short_dir, storage=":memory:") as uri:
        yield uri


@pytest.fixture(scope="module")
def database_dsn(postgres_server: str) -> Iterator[str]:
    with empty_database(postgres_server) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(
    mongodb: str, database_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Story]:
    with MongoClient[Doc](mongodb, tz_aware=True) as client:
        yield await lived(client, mongodb, database_dsn, tmp_path_factory.mktemp("old"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(story: Story, mongodb: str, database_dsn: str) -> AsyncIterator[Doors]:
    """The API over the upgraded documents; no worker is running."""
    settings = settings_for(
        "http://127.0.0.1:9", database_dsn, story.medai.folder / "data", (mongodb, DATABASE)
    )
    async with (
        open_application(settings, clock=SettableClock(NOW)) as app,
        doors_of(app) as opened,
    ):
        yield opened


async def test_the_trial_tells_everything_and_changes_nothing(story: Story) -> None:
    assert story.after_trial == story.before
    (calls,) = re.findall(r"^Звонки: (.*)$", story.trial, re.MULTILINE)
    kept = SIZE - story.dump.copies - story.dump.unreadable
    assert calls == (
        f"прочитано {SIZE}, годных {kept}, повторов {story.dump.copies},"
        f" отложено {story.dump.unreadable}"
    )
    assert calls in story.upgrade.out
    assert "Проба" in story.trial


async def test_reports_hold_no_personal_data(story: Story) -> None:
    told = story.trial + story.upgrade.out + story.again
    assert not re.search(r"7900\d{6}|Анна|Иванов|Пациент|secret|Ромашка|head\.", told)


async def test_nobody_works_on_half_upgraded_documents(story: Story) -> None:
    assert "прервано" in story.refused_half
    assert "medai db upgrade" in story.refused_half


async def test_a_killed_upgrade_goes_on_where_it_was(story: Story) -> None:
    assert not story.half["finished"]
    assert KILL_AFTER <= story.half["parts"]["calls"]["read"] < SIZE
    assert 0 < story.killed_at < SIZE
    assert story.upgrade.code == 0, story.upgrade.err
    assert "Продолжено" in story.upgrade.out


async def test_no_document_is_lost(story: Story) -> None:
    count = {name: story.database[name].count_documents({}) for name in story.after}
    assert count["calls"] == len(story.dump.calls)
    assert count["call_duplicates"] == story.dump.copies
    aside = Counter(one["collection"] for one in story.database["upgrade_set_aside"].find())
    for name in ("calls", "clinics", "administrators", "work_schedules", "tokens"):
        duplicates = count["call_duplicates"] if name == "calls" else 0
        old = len(story.dump.collections[name])
        assert count[name] + aside[name] + duplicates == old == count[f"old_1_{name}"]
    for name in ("transcriptions", "call_status", "system_settings"):
        assert story.after[name] == story.before[name]


async def test_a_second_run_changes_nothing(story: Story) -> None:
    assert "Документов прежней системы нет" in story.again
    assert "внесено" not in story.again
    assert story.after_again == story.after


async def test_every_call_is_what_it_was(story: Story) -> None:
    stored = {one["_id"]: one for one in story.database["calls"].find()}
    marked = {story.placed.paid_unmarked.call_id}
    for truth in story.dump.calls.values():
        found = stored[truth.call_id]
        assert found["note_id"] == truth.note_id
        assert found["started_at"] == truth.started_at
        assert found["business_day"] == truth.day
        assert found["duration_seconds"] == truth.duration
        assert found["administrator"] == truth.administrator
        assert found["source"] == truth.source
        assert found["converted"] == truth.converted
        has_words = truth.status == "success" or truth.call_id in marked
        assert (found["transcript"] is not None) == has_words
        assert (found["crm_note"] is not None) == truth.synced
        assert (found["analysis"] is not None) == (truth.type_id is not None)
        if truth.type_id:
            assert found["analysis"]["scores"] == truth.scores
            assert found["analysis"]["overall"] == pytest.approx(truth.overall)
            assert found["analysis"]["recommendations"] == truth.recommendations


async def test_unknown_fields_and_old_criteria_are_kept(story: Story) -> None:
    documents = [one for one in story.dump.collections["calls"] if "enriched_by" in one]
    for document in documents[:300]:
        legacy = story.one("calls", str(document["_id"]))["legacy"]
        assert legacy["call_category"] == "старое"
        assert legacy["trace"] == [1, {"ref": str(document["trace"][1]["ref"])}]
    old = [one for one in story.dump.collections["calls"] if "tone" in one.get("metrics", {})]
    for document in old[:100]:
        found = story.one("calls", str(document["_id"]))
        assert found["legacy"]["metrics"]["tone"] == 7
        assert "tone" not in found["analysis"]["scores"]


async def test_secrets_are_encrypted_and_the_newest_token_is_kept(story: Story) -> None:
    tokens = {one["_id"]: one for one in story.database["tokens"].find()}
    assert sorted(tokens) == sorted(CLINICS)
    for one in tokens.values():
        assert one["access_token"].startswith("medai1:")
        assert one["expires_at"].tzinfo is not None
    assert tokens[CLINICS[0]]["expires_at"] == datetime(2025, 3, 11, 9, tzinfo=UTC)
    secrets = [one["client_secret"] for one in story.database["clinics"].find()]
    assert all(secret.startswith("medai1:") for secret in secrets)
    aside = str(list(story.database["upgrade_set_aside"].find()))
    assert not re.search(r"secret-\d|head\.|refresh-", aside)


async def test_owners_of_old_clinics_are_owners(doors: Doors) -> None:
    owners = {501: CLINICS[0], 502: CLINICS[1], 503: CLINICS[1], 504: CLINICS[2], 505: CLINICS[2]}
    for telegram_id, client_id in owners.items():
        member = await doors.application.members.member(telegram_id)
        assert member is not None
        assert member.membership.client_id == client_id
        assert member.membership.role is Role.OWNER


async def test_nothing_is_paid_or_sent_by_itself(doors: Doors) -> None:
    assert await doors.application.sweeps.queue_due() == 0


async def test_old_clients_read_the_calls_of_days(story: Story, doors: Doors) -> None:
    query = {"start_date": "10.09.2026", "end_date": "2026-09-11", "client_id": CLINICS[0]}
    answer = await doors.owner.get("/api/calls/list", params=query)
    body = CallList.model_validate(answer.json())
    wanted = _of(story, CLINICS[0], "2026-09-10", "2026-09-11")
    assert {call.id for call in body.data.calls} == set(wanted)
    for call in body.data.calls:
        truth = wanted[call.id]
        assert call.transcription_status == truth.status or call.id == _unmarked(story)
        assert call.created_date_for_filtering == truth.day
        assert call.duration == truth.duration
        assert call.call_direction == truth.direction
        assert call.amo_transcription_synced == truth.synced


async def test_statuses_of_days_count_the_same(story: Story, doors: Doors) -> None:
    days = {"start_date_str": "2026-09-12", "end_date_str": "2026-09-13", "client_id": CLINICS[1]}
    path = "/api/calls/transcribe-by-date-range-status"
    body = (await doors.owner.get(path, params=days)).json()
    calls = _of(story, CLINICS[1], "2026-09-12", "2026-09-13").values()
    found = Counter(call.status for call in calls if call.call_id != _unmarked(story))
    assert body["total_calls"] == len(calls)
    assert body["status_breakdown"]["failed"] == found["failed"]
    assert body["status_breakdown"]["success"] >= found["success"]


async def test_transcripts_answer_to_their_old_names(story: Story, doors: Doors) -> None:
    for truth in story.placed.transcribed[:5]:
        path = f"/api/transcriptions/{truth.transcript_file}/download"
        text = (await doors.owner.get(path)).text
        assert f"[00:00] Менеджер: Клиника, {truth.note_id}" in text
        assert "[00:04] Клиент" in text
        assert "Здравствуйте хочу записаться" in text
        assert "Участник (Speaker 3): Кто там" in text
        assert (await doors.stranger.get(path)).status_code == 401
        signed = doors.application.links.file_url(
            await _call(doors, truth.call_id), truth.transcript_file or ""
        )
        assert (await doors.stranger.get(signed)).status_code == 200


async def test_a_paid_transcript_is_not_paid_again(story: Story, doors: Doors) -> None:
    unmarked, unpaid = story.placed.paid_unmarked, story.placed.unpaid
    for truth in (story.placed.transcribed[0], unmarked):
        path = f"/api/calls/download-and-transcribe/{truth.call_id}"
        assert (await doors.owner.post(path)).json()["data"]["status"] == "success"
    assert (await _call(doors, unpaid.call_id)).transcript is None


async def test_names_that_lead_out_of_the_folder_are_not_opened(story: Story, doors: Doors) -> None:
    call = await _call(doors, story.placed.unsafe.call_id)
    assert call.transcript is not None
    assert "/" not in call.transcript.filename
    assert story.database["transcripts"].find_one({"_id": call.id}) is None
    assert SECRET not in str(list(story.database["transcripts"].find()))
    assert "имя файла ведёт из папки (не открыт): 1" in story.upgrade.out


async def test_recordings_answer_to_call_ids_and_old_names(story: Story, doors: Doors) -> None:
    for truth, name in story.placed.recorded:
        answer = await doors.owner.get(f"/api/calls/download/{truth.call_id}")
        assert answer.content == SOUND
        queued = await doors.owner.post("/api/transcribe", json={"audio_filename": name})
        assert queued.json()["data"]["transcription_filename"] == truth.transcript_file
    waiting, name = story.placed.waiting
    call = await _call(doors, waiting.call_id)
    assert call.audio is not None
    assert call.audio.file == f"audio/{name}"
    assert call.audio.seconds == pytest.approx(waiting.duration, abs=1)


async def test_ids_of_duplicates_lead_to_the_kept_call(story: Story, doors: Doors) -> None:
    copied = [truth for truth in story.dump.calls.values() if truth.other_ids]
    assert len(copied) > 100
    for truth in copied[:20]:
        assert (await _call(doors, truth.other_ids[0])).id == truth.call_id


async def test_analyses_are_read_as_before(story: Story, doors: Doors) -> None:
    for truth, name in story.placed.analysed:
        for known in (name, f"{truth.call_id}_analysis.txt"):
            text = (await doors.owner.get(f"/api/analysis/{known}/download")).text
            assert "Комментарий к оценке" in text
        query = {"note_id": str(truth.note_id), "client_id": truth.client_id}
        scores = (await doors.owner.get("/api/call/scores", params=query)).json()
        assert {key: one["score"] for key, one in scores["scores"].items()} == truth.scores
        again = await doors.owner.post(f"/api/call/analyze-call-new/{truth.call_id}")
        assert again.json()["call_type"]["call_type_id"] == truth.type_id


async def test_clinics_limits_settings_and_schedules(doors: Doors) -> None:
    clinics = {one["client_id"]: one for one in (await doors.owner.get(f"{ADMIN}/clinics")).json()}
    assert sorted(clinics) == sorted(CLINICS)
    assert clinics[CLINICS[0]]["id"] == "clinic-uuid-1"
    names = [one["name"] for one in clinics[CLINICS[1]]["administrators"]]
    assert names == ["Мария Петрова"]
    limits = (await doors.owner.get(f"{ADMIN}/clinics/{CLINICS[0]}/limits")).json()
    assert limits["monthly_limit_minutes"] == 2000
    assert limits["current_month_minutes"] == 0  # September's: it is October
    assert limits["current_week_minutes"] == 3.25
    settings = (await doors.owner.get(f"/api/clinics/{CLINICS[0]}/settings")).json()["data"]
    assert settings["admin_detection_method"] == "ai_schedule"
    assert settings["conversion_config"]["primary"]["status_id"] == 2
    query = {"clinic_id": CLINICS[0]}
    schedule = (await doors.owner.get("/api/work-schedules", params=query)).json()["schedules"]
    assert [(one["date"], one["last_name"]) for one in schedule] == [
        ("2026-09-05", "Иванова"),
        ("2026-09-06", "Петрова"),
    ]


async def test_reports_old_and_made_anew(doors: Doors) -> None:
    old = await doors.owner.get(f"/api/call/reports/{REPORT}/download")
    assert old.content == b"%PDF-1.4 old"
    days = {"start_date": "01.09.2026", "end_date": "02.09.2026", "clinic_id": CLINICS[2]}
    made = (await doors.owner.get("/api/reports/generate-excel", params=days)).json()
    found = await doors.owner.get(f"/api/call/reports/{made['filename']}/download")
    assert found.content.startswith(b"PK")


async def test_conclusions_are_not_paid_again(doors: Doors) -> None:
    query = {
        "client_id": CLINICS[0], "start_date_str": "07.09.2026", "end_date_str": "13.09.2026",
    }  # fmt: skip
    path = "/api/recommendations/analyze-by-date-range"
    answer = (await doors.owner.post(path, params=query)).json()
    assert answer["data"] == {"summary_points": ["Точка"], "overall_summary": "# Итог\n\nХорошо"}


async def test_boards_get_the_numbers_of_the_contract(story: Story, doors: Doors) -> None:
    await doors.application.exports.export(None)
    rows = await rows_of(doors.application)
    truths = list(story.dump.calls.values())
    assert len([one for one in truths if one.is_exported]) > 4_000

    daily = {tuple(row[name] for name in expected.LABELS): row for row in
             rows["daily_summary_metrics"]}  # fmt: skip
    _same(daily, expected.daily(truths))
    assert all(row["week_start_date"] == expected.week_of(row["metric_date"]) for row in
               daily.values())  # fmt: skip
    labels = (*expected.LABELS, "criterion_name")
    found = {tuple(row[name] for name in labels): row for row in rows["call_criteria_metrics"]}
    _same(found, expected.criteria(truths))

    details = {row["call_mongo_id"]: row for row in rows["call_details"]}
    _same(details, expected.details(truths))
    for call_id, row in details.items():
        assert row["transcript_url"].startswith("http://testserver/api/transcriptions/")
        assert row["recording_url"].startswith(("https://pbx.example.ru/r/", "http://testserver/"))
        assert call_id

    conclusions = {(row["start_date"], row["period_type"]) for row in
                   rows["recommendation_analysis"]}  # fmt: skip
    assert conclusions == {(date(2026, 9, 7), "weekly"), (date(2026, 9, 1), "monthly")}


ADMIN = "/api/admin"


def _of(story: Story, client_id: str, first: str, last: str) -> dict[str, Truth]:
    return {
        truth.call_id: truth
        for truth in story.dump.calls.values()
        if truth.client_id == client_id and first <= truth.day <= last
    }


def _unmarked(story: Story) -> str:
    return story.placed.paid_unmarked.call_id


async def _call(doors: Doors, call_id: str) -> Any:
    call = await doors.application.calls.get(call_id)
    assert call is not None
    return call


def _same(found: dict[Any, Doc], wanted: dict[Any, Doc]) -> None:
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        for name, value in row.items():
            stored = found[key][name]
            if isinstance(value, float | int) and not isinstance(value, bool):
                assert float(stored) == pytest.approx(value), (key, name)
            else:
                assert stored == value, (key, name)
