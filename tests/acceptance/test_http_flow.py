"""The flow of old clients over HTTP only: start, poll, list, export, report, download."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import httpx2
import openpyxl
import pypdf
import pytest
import pytest_asyncio
from tests.fixtures.application import settings_for
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import Doors, Json, Polled, doors_of, polled, working
from tests.fixtures.stored import rows_of
from tests.fixtures.stores import empty_database

from medai.bootstrap import open_application
from medai.cli.demo.scenario import connect
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

RU, ISO = DAY.strftime("%d.%m.%Y"), DAY.isoformat()
START_KEYS = {"message", "total_found", "tasks_queued", "duration_seconds", "run_id"}
EXPORT_KEYS = START_KEYS | {
    "success", "detailed_mode", "max_calls_limit", "note", "start_date", "end_date",
}  # fmt: skip
STATISTICS_KEYS = {
    "client_id", "start_date", "end_date", "total_found", "total_processed", "saved_to_db",
    "filtered_zero_duration", "filtered_short_calls", "filtered_duplicates", "filtered_note_links",
    "processing_errors", "created_at",
}  # fmt: skip
STATUS_KEYS = {
    "overall_status", "total_calls", "status_breakdown", "progress_percentage", "limit_exceeded",
}  # fmt: skip
BREAKDOWN_KEYS = {"pending", "processing", "success", "failed"}
CALL_KEYS = {
    "_id", "note_id", "event_id", "lead_id", "contact_id", "lead_name", "contact_name",
    "client_id", "subdomain", "administrator", "source", "processing_speed",
    "processing_speed_str", "call_direction", "duration", "duration_formatted", "phone",
    "call_link", "created_at", "created_date", "created_date_iso", "created_date_for_filtering",
    "recorded_at", "updated_at", "amocrm_user_id", "transcription_status", "transcription_error",
    "filename_audio", "filename_transcription", "amo_transcription_synced",
    "amo_transcription_note_id", "amo_transcription_synced_at", "metrics", "conversion_type",
    "call_type_id", "call_type_name", "recommendations", "analysis_id", "analyzed_at",
    "analyze_status", "analysis_error", "amo_transcription_error",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flow:
    """Every answer of one flow, step by step."""

    doors: Doors
    client_id: str
    truth: Json
    bill: Json
    export: Json
    results: Polled
    transcribe: Json
    transcription: Polled
    analyse: Json
    analysis: Polled
    calls: Json
    exported: Json
    exported_again: Json
    pdf: Json
    excel: Json


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def flow(
    sandbox_world: World,
    sandbox_audio: AudioStore,
    postgres_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Flow]:
    world = replace(sandbox_world, clinics=sandbox_world.clinics[1:])
    with (
        SandboxServer(world, sandbox_audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
    ):
        settings = settings_for(server.url, dsn, tmp_path_factory.mktemp("service"))
        async with open_application(settings) as application:
            await connect(application, control.clinics()[0])
            async with working(application), doors_of(application) as doors:
                yield await _flow(doors, control)


async def _flow(doors: Doors, control: Control) -> Flow:
    owner, client_id = doors.owner, control.clinics()[0]["client_id"]
    order = {"client_id": client_id, "start_date": RU, "end_date": RU}
    days = {"client_id": client_id, "start_date_str": ISO, "end_date_str": RU}
    report = {"clinic_id": client_id, "start_date": RU, "end_date": RU}
    return Flow(
        doors=doors,
        client_id=client_id,
        truth=control.truth()["clinics"][client_id],
        export=_json(await owner.post("/api/calls-events/export", json=order)),
        results=await polled(owner, "/api/calls-events/export-results", order),
        transcribe=_json(await owner.post("/api/calls/transcribe-by-date-range", params=days)),
        transcription=await polled(
            owner, "/api/calls/transcribe-by-date-range-status", days, ready=_completed
        ),
        analyse=_json(await owner.post("/api/analyze-by-date-range", params=days)),
        analysis=await polled(owner, "/api/analyze-by-date-range-status", days, ready=_completed),
        calls=(await polled(owner, "/api/calls/list", order, ready=_all_noted)).last,
        exported=_json(await owner.post("/api/postgres/sync-now")),
        exported_again=_json(await owner.post("/api/postgres/sync-now")),
        pdf=_json(await owner.post("/api/reports/generate_call_report", json=report)),
        excel=_json(await owner.get("/api/reports/generate-excel", params=report)),
        bill=control.bill(),
    )


def _all_noted(listed: Json) -> bool:
    """Notes are written at the CRM's pace, beside the analysis: they may end later."""
    calls = listed["data"]["calls"]
    return all(c["amo_transcription_synced"] or not c["filename_transcription"] for c in calls)


def _completed(status: Json) -> bool:
    return bool(status["overall_status"] == "completed")


def _json(answer: httpx2.Response) -> Json:
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_the_sync_answers_at_once_and_its_statistics_come_later(flow: Flow) -> None:
    assert flow.export.keys() == EXPORT_KEYS
    assert flow.export["success"] is True
    assert flow.export["tasks_queued"] == 1
    early, answers = flow.results.answers[0], flow.results.answers
    assert early.status_code == 404
    assert {answer.status_code for answer in answers[:-1]} == {404}
    results = flow.results.last
    assert results.keys() == {"success", "message", "statistics"}
    assert results["success"] is True
    skipped = flow.truth["calls_skipped"]
    statistics = results["statistics"]
    assert statistics.keys() == STATISTICS_KEYS
    assert datetime.fromisoformat(statistics.pop("created_at")).tzinfo is not None
    assert statistics == {
        "client_id": flow.client_id,
        "start_date": RU,
        "end_date": RU,
        "total_found": flow.truth["calls_found"],
        "total_processed": flow.truth["calls_found"],
        "saved_to_db": flow.truth["calls_stored"],
        "filtered_zero_duration": skipped["zero_duration"],
        "filtered_short_calls": skipped["short"],
        "filtered_duplicates": skipped["duplicate"],
        "filtered_note_links": skipped["note_link"],  # ours: nothing else tells where they went
        "processing_errors": 0,
    }


async def test_work_is_started_at_once_and_polled_to_its_end(flow: Flow) -> None:
    recorded = flow.truth["notes_written"]
    for started in (flow.transcribe, flow.analyse):
        assert started.keys() == START_KEYS
        assert (started["total_found"], started["tasks_queued"]) == (recorded, recorded)
    for polls in (flow.transcription, flow.analysis):
        for answer in polls.answers:
            status = answer.json()
            assert status.keys() == STATUS_KEYS
            assert status["status_breakdown"].keys() == BREAKDOWN_KEYS
            assert status["total_calls"] == sum(status["status_breakdown"].values()) == recorded
        assert polls.last["progress_percentage"] == 100
        assert polls.last["status_breakdown"]["success"] == recorded


async def test_the_status_answers_while_work_runs(flow: Flow) -> None:
    answers = [answer.json() for answer in flow.transcription.answers]

    assert {"processing", "completed"} <= {answer["overall_status"] for answer in answers}
    progress = [answer["progress_percentage"] for answer in answers]
    assert progress == sorted(progress)
    assert any(0 < percent < 100 for percent in progress)
    # Work of a minute of audio must not keep a poller waiting; a busy machine is allowed for.
    assert flow.transcription.slowest_seconds < 3


async def test_the_list_shows_whole_calls(flow: Flow) -> None:
    assert flow.calls.keys() == {"success", "message", "data"}
    calls = flow.calls["data"]["calls"]
    assert flow.calls["data"].keys() == {"calls", "total"}
    assert flow.calls["data"]["total"] == len(calls) == flow.truth["calls_stored"]
    for call in calls:
        expected = flow.truth["calls"][str(call["note_id"])]
        done = expected["recording"] is not None
        missing = set() if done else {"call_type_id", "call_type_name", "recommendations"}
        missing |= set() if done else {"analysis_id", "analyzed_at"}
        assert call.keys() == CALL_KEYS - missing
        assert re.fullmatch("[0-9a-f]{24}", call["_id"])
        assert call["created_date_for_filtering"] == ISO
        assert call["call_direction"] == expected["direction_label"]
        assert call["administrator"] == expected["administrator"]
        assert call["metrics"]["conversion"] is expected["converted"]
        assert call["metrics"].get("overall_score") == expected["overall"]
        assert call["transcription_status"] == ("success" if done else "pending")
        assert call["analyze_status"] == ("success" if done else "pending")
        assert call["amo_transcription_synced"] is done


async def test_nothing_is_paid_twice_and_every_note_is_written(flow: Flow) -> None:
    assert set(flow.bill["stt_paid_by_sha256"].values()) == {1}
    assert flow.bill["stt_paid"] == flow.bill["notes"] == flow.truth["notes_written"]


async def test_metrics_are_written_once(flow: Flow) -> None:
    assert flow.exported.keys() == {"success", "message", "output"}
    assert flow.exported["success"] is True
    rows = await rows_of(flow.doors.application)
    expected = {name: sums["rows"] for name, sums in flow.truth["rows"].items()}
    assert {name: len(rows[name]) for name in expected} == expected
    transcribed = sum(row["transcribed_calls"] for row in rows["call_funnel_metrics"])
    assert transcribed == flow.truth["notes_written"]
    assert {row["period_type"] for row in rows["minute_quota_metrics"]} == {"month", "week"}
    assert flow.exported_again["output"] == "изменений нет"


async def test_reports_are_made_and_downloaded(flow: Flow) -> None:
    assert flow.pdf.keys() == {"status", "message", "filename", "download_url"}
    assert flow.excel.keys() == {"status", "filename", "download_url"}
    # Clients take the last segment of the name (contract 1.4).
    names = [made["filename"].rpartition("/")[2] for made in (flow.pdf, flow.excel)]
    period = f"{DAY:%d_%m_%Y}-{DAY:%d_%m_%Y}"
    stem = f"call_report_clinic_{flow.client_id}_{period}"
    assert names == [f"{stem}.pdf", f"{stem}.xlsx"]
    pdf, excel = [
        await flow.doors.owner.get(f"/api/call/reports/{name}/download") for name in names
    ]
    assert pdf.headers["content-type"] == "application/pdf"
    assert f'filename="{names[0]}"' in pdf.headers["content-disposition"]
    assert len(pypdf.PdfReader(BytesIO(pdf.content)).pages) > 1
    book = openpyxl.load_workbook(BytesIO(excel.content))
    assert book.sheetnames[:2] == ["Сводная информация", "Администраторы"]


async def test_links_of_call_details_open_without_a_key(flow: Flow) -> None:
    details = (await rows_of(flow.doors.application))["call_details"]

    kinds: Counter[int] = Counter()
    for row in details:
        transcript = await flow.doors.stranger.get(row["transcript_url"])
        recording = await flow.doors.stranger.get(row["recording_url"])
        assert transcript.headers["content-type"] == "text/plain; charset=utf-8"
        assert "attachment" in transcript.headers["content-disposition"]
        assert "Менеджер: " in transcript.text
        assert recording.content[:4] == b"RIFF"
        assert int(recording.headers["content-length"]) == len(recording.content)
        kinds.update([transcript.status_code, recording.status_code])
    assert kinds == {200: 2 * len(details)}
    assert len(details) == flow.truth["rows"]["call_details"]["rows"] > 0


async def test_a_link_opens_only_its_own_file_and_only_in_time(flow: Flow) -> None:
    first, second, *_ = (await rows_of(flow.doors.application))["call_details"]
    link, other = httpx2.URL(first["recording_url"]), httpx2.URL(second["recording_url"])
    expires, signature = link.params["expires"], link.params["signature"]
    transcript = httpx2.URL(first["transcript_url"]).path
    yesterday = datetime.now(UTC) - timedelta(days=1)
    past = flow.doors.application.signer.sign(link.path.removeprefix("/api"), expires_at=yesterday)
    changed = ("0" if signature[0] != "0" else "1") + signature[1:]

    refused = {
        "no signature": link.path,
        "altered signature": f"{link.path}?expires={expires}&signature={changed}",
        "later expiry": f"{link.path}?expires={int(expires) + 1}&signature={signature}",
        "expired": f"{link.path}?{past}",
        "another recording": f"{other.path}?expires={expires}&signature={signature}",
        "another kind of file": f"{transcript}?expires={expires}&signature={signature}",
        "upwards": f"{link.path}/../../list?expires={expires}&signature={signature}",
        "hidden upwards": f"{link.path}/%2e%2e/list?expires={expires}&signature={signature}",
        "text beyond digits": f"{link.path}?expires=٣{expires}&signature={signature}",
    }

    for name, path in refused.items():
        answer = await flow.doors.stranger.get(path)
        assert answer.status_code == 401, name
        assert answer.json() == {"detail": "Invalid or missing API key"}, name
    assert (await flow.doors.stranger.post(str(link))).status_code == 401
