"""Rows of contract 1.2 about transcripts as files, one call's transcription, calls/report."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.fixtures.application import settings_for
from tests.fixtures.call_library import (
    ASKED_AT,
    FOREIGN,
    OWN,
    Library,
    days_later,
    done,
    opened_library,
)
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import Doors, doors_of, polled, working
from tests.fixtures.shapes import shaped
from tests.fixtures.stores import empty_database

from medai.bootstrap import open_application
from medai.calls.models import SkipReason, Stage
from medai.cli.demo.scenario import connect
from medai.kit.days import DayRange
from medai.processing import transcript_files
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUEUED: dict[str, Any] = {
    "success": True,
    "message": str,
    "data": {
        "call_id": str, "note_id": int, "lead_id": (int, None), "audio_file": str,
        "transcription_file": str, "phone": str, "client_name": str, "manager_name": str,
        "status": "processing", "download_url": str, "transcription_url": str,
    },
}  # fmt: skip
FILE: dict[str, Any] = {
    "filename": str, "size": int, "created_at": str, "phone": (str, None), "note_id": int,
    "preview": str, "download_url": str,
}  # fmt: skip
FILES: dict[str, Any] = {"success": True, "message": str, "data": {"transcriptions": [FILE]}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def library(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Library]:
    """Three own transcripts, one foreign one, one call without."""
    with empty_database(postgres_server) as dsn:
        async with opened_library(dsn, tmp_path_factory.mktemp("library")) as opened:
            for note_id in (1, 2):
                await opened.add_done(note_id)
            named = done(3)["transcript"].model_copy(
                update={"filename": "79000000003_20261119_130000.txt"}
            )
            await opened.add_done(3, transcript=named, phone="+79000000003")
            await opened.add_done(1, client_id=FOREIGN)
            await opened.add(4)
            yield opened


async def _files(library: Library, path: str = "search", **query: Any) -> list[dict[str, Any]]:
    address = "/api/transcriptions" + ("/search" if path == "search" else "")
    answer = await library.doors.owner.get(address, params=query)
    assert answer.status_code == 200, answer.text
    shaped(answer.json(), FILES)
    found: list[dict[str, Any]] = answer.json()["data"]["transcriptions"]
    return found


async def test_transcriptions_lists_files_newest_first(library: Library) -> None:
    found = await _files(library, "list")
    assert [one["note_id"] for one in found][:2] == [3, 2]
    assert len(found) == 4
    for one in found:
        text = await library.doors.stranger.get(one["download_url"])
        assert text.status_code == 200
        assert (len(text.content), text.text[:500]) == (one["size"], one["preview"])
    paged = await _files(library, "list", limit=2, offset=1)
    assert paged == found[1:3]


async def test_search_narrows_by_text_phone_note_and_date(library: Library) -> None:
    def notes(found: list[dict[str, Any]]) -> list[int]:
        return [one["note_id"] for one in found]

    own = {"client_id": OWN}
    assert notes(await _files(library, query="номер 2", **own)) == [2]
    assert notes(await _files(library, query="ДОБРЫЙ ДЕНЬ", **own)) == [3, 2, 1]
    assert notes(await _files(library, query="79000000003_2026", **own)) == [3]
    assert notes(await _files(library, phone="8 (900) 000-00-03", **own)) == [3]
    assert notes(await _files(library, note_id="2", **own)) == [2]
    assert notes(await _files(library, note_id="1")) == [1, 1]
    assert await _files(library, note_id="9" * 30, **own) == []
    assert await _files(library, query="\x00", **own) == []
    assert notes(await _files(library, date_from="2026-11-19", date_to="2026-11-19", **own)) == [
        3, 2, 1,
    ]  # fmt: skip
    at = (ASKED_AT + timedelta(seconds=2)).isoformat()
    assert notes(await _files(library, date_from=at, **own)) == [3, 2]
    assert notes(await _files(library, date_to="2026-11-19T13:00:01", **own)) == [1]
    assert await _files(library, date_to="2026-11-18", **own) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"date_from": "завтра"}, 400),
        ({"date_from": "0001-01-01"}, 400),
        ({"date_from": "2026-11-20", "date_to": "2026-11-19"}, 400),
        ({"query": "x" * 201}, 422),
        ({"limit": 501}, 422),
    ],
)
async def test_a_senseless_search_is_refused(
    library: Library, query: dict[str, Any], status: int
) -> None:
    answer = await library.doors.owner.get("/api/transcriptions/search", params=query)
    assert answer.status_code == status


async def test_a_search_reads_no_more_than_its_bound(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript_files, "MOST_EXAMINED", 2)
    answer = await library.doors.owner.get(
        "/api/transcriptions/search", params={"query": "номер 1"}
    )
    assert answer.json()["data"] == {"transcriptions": [], "is_whole": False}


async def test_lists_and_searches_need_a_key_and_are_noted(library: Library) -> None:
    for path in ("/api/transcriptions", "/api/transcriptions/search"):
        assert (await library.doors.stranger.get(path)).status_code == 401
    async with await library.holder(FOREIGN) as holder:
        found = await holder.get("/api/transcriptions/search", params={"query": "номер"})
        assert len(found.json()["data"]["transcriptions"]) == 1
        refused = await holder.get("/api/transcriptions", params={"client_id": OWN})
        assert refused.status_code == 404
    log = [entry async for entry in library.app.access_log.newest(FOREIGN, 100)]
    assert [entry.what for entry in log if entry.by == "ключ"] == ["search"]
    assert "номер" not in repr(log)


@pytest.mark.parametrize(
    ("note_id", "offered"), [(1, "transcription_note_1.txt"), (3, "transcription_79000000003.txt")]
)
async def test_a_transcript_is_downloaded_under_the_old_name(
    library: Library, note_id: int, offered: str
) -> None:
    (one,) = await _files(library, note_id=str(note_id), client_id=OWN)
    answer = await library.doors.owner.get(f"/api/transcriptions/{one['filename']}/download")
    assert answer.headers["content-disposition"] == f'attachment; filename="{offered}"'
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[:2] == ["Транскрипция звонка", f"Дата и время: 2026-11-19 12:00:0{note_id}"]
    assert f"[00:01] Клиент: Номер {note_id}" in lines
    async with await library.holder(FOREIGN) as holder:
        path = f"/api/transcriptions/{one['filename']}/download"
        assert (await holder.get(path)).status_code == 404


@pytest.mark.parametrize("name", ["nobody.txt", "%00.txt", "..%2F..%2Fetc", "я", '"'])
async def test_an_unknown_transcript_is_404(library: Library, name: str) -> None:
    path = f"/api/transcriptions/{name}/download"
    assert (await library.doors.owner.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("extra", "offered"),
    [
        ({}, "transcript_note_1.txt"),
        ({"lead_id": 501}, "transcript_lead_501_note_1.txt"),
        ({"contact_id": 7}, "transcript_contact_7_note_1.txt"),
    ],
)
async def test_a_note_leads_to_its_transcript(
    library: Library, extra: dict[str, int], offered: str
) -> None:
    path = "/api/amocrm/note/1/transcript/download"
    query: dict[str, Any] = {"client_id": OWN, **extra}
    answer = await library.doors.owner.get(path, params=query)
    assert (answer.status_code, "Номер 1" in answer.text) == (200, True)
    assert answer.headers["content-disposition"] == f'attachment; filename="{offered}"'
    # The old system had it open to whoever knew a client_id.
    assert (await library.doors.stranger.get(path, params=query)).status_code == 401


async def test_a_note_without_transcript_is_refused_in_the_old_form(library: Library) -> None:
    async with await library.holder(FOREIGN) as holder:
        answers = [
            await library.doors.owner.get(
                f"/api/amocrm/note/{note}/transcript/download", params={"client_id": client_id}
            )
            for note, client_id in (
                ("4", OWN), ("999", OWN), ("9" * 40, OWN), ("%00", OWN), ("1", "nobody"),
            )
        ]  # fmt: skip
        answers.append(
            await holder.get("/api/amocrm/note/1/transcript/download", params={"client_id": OWN})
        )
    for answer in answers:
        assert answer.status_code == 404
        shaped(answer.json(), {"success": False, "message": str, "data": None})


async def test_download_and_transcribe_queues_one_call(library: Library) -> None:
    call = await library.add(20, business_day=days_later(2))
    path = f"/api/calls/download-and-transcribe/{call.id}"
    answer = await library.doors.owner.post(path, params={"num_speakers": 3})
    shaped(answer.json(), QUEUED)
    data = answer.json()["data"]
    assert (data["call_id"], data["audio_file"]) == (call.id, "")
    assert data["transcription_file"] == f"note_20_{call.id}.txt"
    stored = await library.app.calls.get(call.id)
    assert stored is not None
    assert stored.transcription_requested_at == library.clock()
    assert stored.run_id == data["run_id"]
    for url in (data["download_url"], data["transcription_url"]):
        # Not there yet, but the link itself is good.
        assert (await library.doors.stranger.get(url)).status_code == 404


async def test_download_and_transcribe_refuses_what_has_no_recording(library: Library) -> None:
    bare = await library.add(
        21, business_day=days_later(2), stage=Stage.DISCOVERED, recording_url=None
    )
    short = await library.add(
        22, business_day=days_later(2), stage=Stage.SKIPPED, skip_reason=SkipReason.SHORT
    )
    for call, status in ((bare, 404), (short, 400)):
        path = f"/api/calls/download-and-transcribe/{call.id}"
        assert (await library.doors.owner.post(path)).status_code == status


ORDER = {
    "phone": "79000000001", "note_id": 1, "num_speakers": 2, "diarize": True,
    "administrator_id": "a",
}  # fmt: skip


@pytest.mark.parametrize("audio", [None, "lead_501_note_23.mp3"])
async def test_transcribe_takes_the_name_of_a_stored_recording(
    library: Library, audio: str | None
) -> None:
    """B row: works for names of ours and for those of a restored dump."""
    note_id = 23 if audio else 24
    fields = done(note_id)
    kept = {"audio": fields["audio"]}
    if audio:
        kept["audio"] = kept["audio"].model_copy(update={"file": f"audio/{audio}"})
    call = await library.add(note_id, business_day=days_later(3), stage=Stage.AUDIO_STORED, **kept)
    name = audio or f"{call.id}.mp3"
    order = {"audio_filename": name, **ORDER}
    answer = await library.doors.owner.post("/api/transcribe", json=order)
    data = {
        "audio_filename": name, "transcription_filename": f"note_{note_id}_{call.id}.txt",
        "status": "processing",
    }  # fmt: skip
    shaped(answer.json(), {"success": True, "message": str, "data": data})
    stored = await library.app.calls.get(call.id)
    assert stored is not None
    assert stored.transcription_requested_at is not None
    for other in (f"{call.id}.wav", f"{call.id}", "note_23", "x", "\x00", "note_" + "9" * 40):
        answer = await library.doors.owner.post("/api/transcribe", json={"audio_filename": other})
        assert answer.status_code == 404, other


async def test_calls_report_is_a_pdf_of_the_last_days(library: Library) -> None:
    answer = await library.doors.owner.get("/api/calls/report", params={"client_id": OWN})
    shaped(
        answer.json(),
        {"success": True, "message": str, "data": {"report_path": str, "days_ago": 30}},
    )
    path = answer.json()["data"]["report_path"]
    assert path == f"reports/call_admin_report_clinic_{OWN}_20_10_2026-19_11_2026.pdf"
    assert (await library.app.files.read(path))[:5] == b"%PDF-"
    for query, status in (
        ({"days_ago": 0}, 422),
        ({"days_ago": 10**20}, 422),
        ({"client_id": "nobody"}, 404),
    ):
        refused = await library.doors.owner.get("/api/calls/report", params=query)
        assert refused.status_code == status


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connected(
    sandbox_world: World,
    sandbox_audio: AudioStore,
    postgres_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Doors, str]]:
    """A synced clinic of the sandbox; workers run."""
    world = replace(sandbox_world, clinics=sandbox_world.clinics[:1])
    with (
        SandboxServer(world, sandbox_audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
    ):
        settings = settings_for(server.url, dsn, tmp_path_factory.mktemp("connected"))
        async with open_application(settings) as application:
            await connect(application, control.clinics()[0])
            client_id = str(control.clinics()[0]["client_id"])
            await application.syncs.run(client_id, DayRange(DAY, DAY))
            async with working(application), doors_of(application) as doors:
                yield doors, client_id


async def test_one_call_from_the_request_to_its_file(connected: tuple[Doors, str]) -> None:
    """As the bot does it: list, download-and-transcribe, poll, open both links without a key."""
    doors, client_id = connected
    listed = {"client_id": client_id, "start_date": DAY.isoformat()}
    calls = (await doors.owner.get("/api/calls/list", params=listed)).json()["data"]["calls"]
    chosen = next(call for call in calls if call["call_link"])
    path = f"/api/calls/download-and-transcribe/{chosen['_id']}"
    data = (await doors.owner.post(path)).json()["data"]

    def ready(body: dict[str, Any]) -> bool:
        (call,) = (c for c in body["data"]["calls"] if c["_id"] == chosen["_id"])
        return bool(call["transcription_status"] == "success")

    polls = await polled(doors.owner, "/api/calls/list", listed, ready=ready)
    (done_call,) = (c for c in polls.last["data"]["calls"] if c["_id"] == chosen["_id"])
    assert done_call["filename_transcription"] == data["transcription_file"]
    text = await doors.stranger.get(data["transcription_url"])
    sound = await doors.stranger.get(data["download_url"])
    assert (text.status_code, sound.status_code) == (200, 200)
    assert re.search(r"^\[00:\d\d\] Менеджер: ", text.text, re.MULTILINE)
    others = [c for c in polls.last["data"]["calls"] if c["_id"] != chosen["_id"]]
    assert {call["transcription_status"] for call in others} == {"pending"}
