"""A restart in the middle of a run: the same endpoint goes on telling, and the run completes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.chaos.fleet import Fleet
from tests.chaos.journal import Journal, Journalling
from tests.chaos.site import SETTINGS
from tests.chaos.world import day_of_calls
from tests.fixtures.application import API_KEY, settings_for
from tests.fixtures.clinic_at_work import ClinicAtWork
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import Json, doors_of, polled, working
from tests.fixtures.stored import rows_of
from tests.fixtures.stores import empty_database

from medai.bootstrap import open_application
from medai.cli.demo.scenario import connect
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.ledger import NoteWritten
from medai.sandbox.server import SandboxServer

CALLS = 12
RECOGNITION_SECONDS = 0.4
PATIENCE_SECONDS = 120
RU = f"{DAY:%d.%m.%Y}"
RESULTS = "/api/calls-events/export-results"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxServer]:
    """Providers with a short day of one clinic."""
    world = day_of_calls(seed=11, day=DAY, calls=CALLS, clinics=1)
    server = SandboxServer(world, AudioStore(world, tmp_path / "recordings", ToneMaker()))
    server.app.add_middleware(Journalling, journal=Journal())
    with server:
        yield server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def asked_until(
    client: httpx2.AsyncClient, path: str, ready: Callable[[Json], bool], **query: Any
) -> Json:
    """Ask again and again, also while nobody listens, until the answer is ready."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                answer = await client.get(path, params=query)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200 and ready(answer.json()):
                found: Json = answer.json()
                return found
            await asyncio.sleep(0.1)


@asynccontextmanager
async def clients_of(port: int) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": API_KEY}, trust_env=False
    ) as client:
        yield client


async def test_a_killed_service_completes_the_whole_way(
    server: SandboxServer, postgres_server: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        **SETTINGS, "MEDAI_PORT": str(port), "MEDAI_SCHEDULES": "false", "STT_CONCURRENCY": "2",
    }  # fmt: skip
    with (
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
        Fleet(server.url, dsn, tmp_path, settings) as fleet,
    ):
        control.post("/elevenlabs/capacity", limit=100, work_seconds=RECOGNITION_SECONDS)
        async with open_application(settings_for(server.url, dsn, tmp_path / "data")) as app:
            await connect(app, control.clinics()[0])
        client_id, truth = control.clinics()[0]["client_id"], control.truth()
        days = {"start_date_str": RU, "end_date_str": RU}
        member = fleet.start("run")
        async with clients_of(port) as client:
            await asked_until(client, "/api/status", lambda _: True)
            path = f"/admin/clinics/{client_id}/process-data"
            run_id = (await client.post(path, params=days)).json()["run_id"]

            def is_midway(run: Json) -> bool:
                assert run["state"] == "running"
                return bool(run["progress"]["transcribed"] > 0)

            midway = await asked_until(client, f"/api/runs/{run_id}", is_midway)
            fleet.kill(member)
            after = await asked_until(client, f"/api/runs/{run_id}", lambda _: True)
            done = await asked_until(
                client, f"/api/runs/{run_id}", lambda run: run["state"] != "running"
            )
            status = await asked_until(
                client, "/api/calls/transcribe-by-date-range-status", lambda _: True,
                client_id=client_id, **days,
            )  # fmt: skip
        assert midway["progress"]["transcribed"] < CALLS
        assert after["progress"]["transcribed"] >= midway["progress"]["transcribed"]
        assert (done["state"], done["error"]) == ("completed", "")
        assert done["progress"]["analysed"] == done["progress"]["noted"] == CALLS
        assert (status["overall_status"], status["total_calls"]) == ("completed", CALLS)
        assert _notes(server) == CALLS
        async with open_application(settings_for(server.url, dsn, tmp_path / "data")) as app:
            rows = await rows_of(app)
            known = await app.recommendations.stored(client_id, "weekly", DAY, DAY)
        expected = {
            name: sums["rows"] for name, sums in truth["clinics"][client_id]["rows"].items()
        } | {"recommendation_analysis": 1}
        assert {name: len(rows[name]) for name in expected} == expected
        assert sum(row["transcribed_calls"] for row in rows["call_funnel_metrics"]) == CALLS
        assert known is not None


def _notes(server: SandboxServer) -> int:
    """Transcripts written to the CRM: one written twice counts twice."""
    entries = server.app.state.sandbox.ledger.entries()
    return sum(isinstance(entry, NoteWritten) for entry in entries)


async def test_a_closed_service_goes_on_with_the_days_that_are_left(
    at_work: ClinicAtWork,
) -> None:
    """A sync of two months: polled before, between and after; its counts are those of one go."""
    query = {"client_id": at_work.client_id, "start_date": "20.09.2026", "end_date": RU}
    async with doors_of(at_work.app) as doors:
        started = (await doors.owner.post("/api/calls-events/export", json=query)).json()
        run_path = f"/api/runs/{started['run_id']}"
        async with working(at_work.app):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (run := await at_work.app.runs.require(started["run_id"])).next_day is None:
                    assert run.state == "running"
                    await asyncio.sleep(0.01)
            assert (await doors.owner.get(RESULTS, params=query)).status_code == 404
    left = await at_work.app.runs.require(started["run_id"])
    assert left.state == "running"
    async with open_application(at_work.app.settings, clock=at_work.clock) as app:
        async with doors_of(app) as doors:
            assert (await doors.owner.get(RESULTS, params=query)).status_code == 404
            assert (await doors.owner.get(run_path)).json()["state"] == "running"
            async with working(app):
                results = (await polled(doors.owner, RESULTS, query)).last
        stored = await at_work.documents()
    assert results["success"] is True
    assert results["statistics"]["total_found"] == len(stored)
    kept = [one for one in stored if one["skip_reason"] is None]
    assert results["statistics"]["saved_to_db"] == len(kept)
