"""Runs through the API door, and what is forgotten with time."""

import os
from datetime import timedelta
from pathlib import Path

import httpx2
from tests.fixtures.application import API_KEY
from tests.fixtures.clinic_at_work import ClinicAtWork

from medai.access.audit import Opened
from medai.api.app import create_api
from medai.calls.models import Step
from medai.processing.retention import KeepDays, Retention

NOTE = 1000004
DAYS = ("19.11.2026", "19.11.2026")


async def test_runs_over_http(at_work: ClinicAtWork) -> None:
    await at_work.sync()
    transport = httpx2.ASGITransport(app=create_api(at_work.app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver/api") as door:
        assert (await door.get("/runs")).status_code == 401
        door.headers["X-API-Key"] = API_KEY
        dates = {"start_date_str": DAYS[0], "end_date_str": DAYS[1]}
        started = await door.post(
            "/calls/transcribe-by-date-range", params={**dates, "client_id": at_work.client_id}
        )
        (listed,) = (await door.get("/runs", params={"client_id": at_work.client_id})).json()[
            "runs"
        ]
        assert (listed["kind"], listed["state"]) == ("transcription", "running")
        path = f"/runs/{listed['id']}"
        progress = (await door.get(path)).json()["progress"]
        assert progress["calls"] == started.json()["tasks_queued"] > 0
        assert (await door.post(f"{path}/cancel")).json()["state"] == "cancelled"
        assert (await door.post(f"{path}/cancel")).status_code == 409
        assert (await door.get("/runs/unknown")).status_code == 404


async def test_only_old_and_unneeded_things_are_forgotten(at_work: ClinicAtWork) -> None:
    app = at_work.app
    await at_work.sync()
    await at_work.wanted(NOTE)
    await at_work.run(NOTE, Step.RECORDING, Step.TRANSCRIPTION)
    done = await app.asked.analysis(None, *DAYS)  # nothing to wait for: ends when looked at
    await app.run_book.cancel(done.run_id)
    running = await app.asked.sync(at_work.client_id, *DAYS)
    transcribed = (await at_work.call(NOTE)).audio
    assert transcribed is not None
    await app.files.write("audio/000000000000000000000001.mp3", b"of a call nobody transcribed")
    await app.files.write("recognitions/dead.room", b"0")
    await app.files.write("reports/old.pdf", b"%PDF")
    visitor = {"by": "ключ", "address": "127.0.0.1", "request_id": "request-1"}
    await app.access_log.note(Opened.TRANSCRIPT, str(NOTE), at_work.client_id, **visitor)
    for file in (app.settings.data_dir / "files").rglob("*"):
        _as_of(file, at_work.clock().timestamp())
    at_work.clock.pass_time(timedelta(days=40))
    keep = KeepDays(jobs=14, runs=30, audio=30, reports=0, access_log=39)
    retention = Retention(
        keep,
        pool=app.pool,
        runs=app.runs,
        files=app.files,
        calls=app.calls,
        access_log=app.access_log,
        clock=at_work.clock,
    )
    forgotten = {"leftovers": 1, "jobs": 0, "runs": 1, "audio": 1, "access_log": 1}
    assert await retention.forget() == forgotten
    assert not await app.files.exists(transcribed.file)
    assert await app.files.exists("audio/000000000000000000000001.mp3")
    assert await app.files.exists("reports/old.pdf")
    assert [run.id for run in await app.runs.newest(None, 10)] == [running]


def _as_of(file: Path, moment: float) -> None:
    os.utime(file, (moment, moment))
