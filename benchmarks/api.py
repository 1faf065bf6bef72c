"""How quick calls/list is for 50 readers at once while a sync runs.

20,000 calls of one clinic lie on 20 days. The service is a real one (`medai run`: the API, and
workers beside it), a bare FastAPI route with the very same bytes is another: both are read in turn,
so that the machine is equally busy for both. Ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

from fleet.databases import fresh, running
from fleet.processes import peak_megabytes, read_settings, settings_at
from fleet.serving import Readings, fetch, free_port, post, read_for, served
from fleet.simulator import DAY, Providers, simulated
from fleet.tables import table
from medai.bootstrap import open_application
from medai.calls.models import (
    Analysis,
    Audio,
    Call,
    CrmNote,
    Direction,
    Stage,
    TranscriptSummary,
)
from medai.cli.demo.scenario import connect
from medai.infra.logging import configure_logging
from medai.kit.ids import call_id
from medai.sandbox.client import Control

DAYS, CALLS_A_DAY, QUICK_CALLS_A_DAY = 20, 1_000, 100
SYNCED, QUICK_SYNCED = 8_000, 1_500
"""Calls of the day that is synced meanwhile, at the default pace of requests to the CRM."""
READERS = 50
ROUNDS, SECONDS, QUICK_SECONDS = 3, 5.0, 2.0
LEAST_SHARE = 0.2
"""Of the throughput of the bare route, everybody reading one day."""
MOST_P99_TIMES = 4.0
"""How much longer the slowest hundredth may take than that of the bare route."""
_NOON = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
_KEY = "benchmarks-key"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one kind of reading; `share` is the throughput as a part of the bare route's."""

    name: str
    answers: int
    kilobytes: float
    p50_ms: float
    p99_ms: float
    per_second: float
    share: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    options.add_argument("--quick", action="store_true", help="2,000 calls, goals not judged")
    options.add_argument("--bare", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.bare:
        _serve_bare(Path(given.bare[0]), int(given.bare[1]))
        return 0
    configure_logging(level="ERROR", json_lines=True)
    with tempfile.TemporaryDirectory(prefix="mdb", dir="/tmp") as name:
        figures, around = _measured(Path(name), quick=given.quick)
    print(table(figures))
    print(json.dumps(around))
    if given.json is not None:
        found = {"readings": [asdict(one) for one in figures], **around}
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    missed = [] if given.quick else _missed(figures, around)
    for text in missed:
        print(f"GOAL MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def _missed(figures: list[Figures], around: dict[str, Any]) -> list[str]:
    bare, one_day = figures[:2]
    missed = []
    if one_day.share < LEAST_SHARE:
        missed.append(f"calls/list reaches {one_day.share} of the bare route")
    if one_day.p99_ms > MOST_P99_TIMES * bare.p99_ms:
        missed.append(f"p99 of calls/list is {one_day.p99_ms} ms, the bare one {bare.p99_ms} ms")
    if around["sync"] != "running":
        missed.append("the sync ended before the readings: give it more calls")
    return missed


def _measured(folder: Path, *, quick: bool) -> tuple[list[Figures], dict[str, Any]]:
    providers = Providers(QUICK_SYNCED if quick else SYNCED, slots=4, stt_seconds=1.0)
    with running(folder) as dsn, simulated(providers) as (url, _):
        port, bare_port = free_port(), free_port()
        environment = settings_at(
            url,
            fresh(dsn, 0),
            folder,
            medai_port=port,
            medai_schedules=False,
            api_requests_per_minute=0,
            amocrm_requests_per_second=5.0,
        )
        client_id = asyncio.run(_stored(environment, url, quick=quick))
        with served(
            ["-m", "medai", "run"], environment, f"http://127.0.0.1:{port}/health/ready"
        ) as pid:
            body = asyncio.run(fetch(port, _target(client_id, 1), _KEY))
            (folder / "body.json").write_bytes(body)
            arguments = [str(Path(__file__).resolve()), "--bare", str(folder / "body.json")]
            ready = f"http://127.0.0.1:{bare_port}/list"
            with served([*arguments, str(bare_port)], {}, ready):
                seconds = QUICK_SECONDS if quick else SECONDS
                return asyncio.run(_read(client_id, port, bare_port, pid, seconds, len(body)))


async def _stored(environment: dict[str, str], url: str, *, quick: bool) -> str:
    async with open_application(read_settings(environment)) as application:
        with Control(url) as control:
            (clinic,) = control.clinics()
            await connect(application, clinic)
        client_id: str = clinic["client_id"]
        size = QUICK_CALLS_A_DAY if quick else CALLS_A_DAY
        for day in range(1, DAYS + 1):
            made = [_call(client_id, day, number) for number in range(size)]
            await application.calls.insert_many(made)
    return client_id


async def _read(
    client_id: str, port: int, bare_port: int, pid: int, seconds: float, size: int
) -> tuple[list[Figures], dict[str, Any]]:
    one_day = [_target(client_id, 1)] * READERS
    every_day = [_target(client_id, 1 + reader % DAYS) for reader in range(READERS)]
    run_id = await _sync_begun(client_id, port)
    bare, ours, spread = Readings(), Readings(), Readings()
    for _ in range(ROUNDS):
        bare.join(await read_for(seconds, bare_port, ["/list"] * READERS, _KEY))
        ours.join(await read_for(seconds, port, one_day, _KEY))
        spread.join(await read_for(seconds, port, every_day, _KEY))
    if bare.size != size or ours.size != size:
        raise ValueError("the readers saw other bytes")
    run = json.loads(await fetch(port, f"/api/runs/{run_id}", _KEY))
    alone = await read_for(seconds, port, one_day[:1], _KEY)
    figures = [
        _figures("a bare route", bare, bare),
        _figures("calls/list, one day", ours, bare),
        _figures("calls/list, 20 days", spread, bare),
        _figures("calls/list, one reader", alone, bare),
    ]
    return figures, {"sync": run["state"], "peak_megabytes": peak_megabytes(pid)}


async def _sync_begun(client_id: str, port: int) -> str:
    order = {"client_id": client_id, "start_date": DAY.isoformat(), "end_date": DAY.isoformat()}
    begun = await post(port, "/api/calls-events/export", _KEY, json.dumps(order).encode())
    run_id: str = json.loads(begun)["run_id"]
    return run_id


def _target(client_id: str, day: int) -> str:
    text = (DAY - timedelta(days=day)).isoformat()
    return f"/api/calls/list?client_id={client_id}&start_date={text}&end_date={text}"


def _figures(name: str, readings: Readings, bare: Readings) -> Figures:
    return Figures(
        name=name,
        answers=len(readings.milliseconds),
        kilobytes=round(readings.size / 1024, 1),
        p50_ms=readings.percentile(50),
        p99_ms=readings.percentile(99),
        per_second=readings.per_second,
        share=round(readings.per_second / bare.per_second, 3),
    )


def _serve_bare(body: Path, port: int) -> None:
    """What FastAPI and the machine can do at most: the bytes are there already."""
    content = body.read_bytes()
    api = FastAPI()

    @api.get("/list")
    async def listed() -> Response:
        return Response(content, media_type="application/json")

    uvicorn.run(api, port=port, log_level="warning", access_log=False, lifespan="off")


def _call(client_id: str, day: int, number: int) -> Call:
    """A call with which everything has been done: the largest document."""
    note_id = 10_000_000 + day * 100_000 + number
    known = call_id(client_id, note_id)
    at = _NOON - timedelta(days=day, seconds=-number)
    return Call(
        id=known,
        client_id=client_id,
        subdomain="bulk-clinic",
        note_id=note_id,
        event_id=f"event-{note_id}",
        collection="leads",
        entity_id=1,
        lead_id=note_id,
        lead_name="Имплантация под ключ",
        contact_id=note_id,
        contact_name="Пациент",
        administrator="Алина Иванова",
        direction=Direction.INBOUND,
        duration_seconds=95,
        phone="+79000000001",
        recording_url="https://pbx.example.ru/recordings/2026/11/19/0001.mp3",
        started_at=at,
        business_day=DAY - timedelta(days=day),
        stage=Stage.EXPORTED,
        transcription_requested_at=at,
        analysis_requested_at=at,
        audio=Audio(
            file=f"audio/{known}.mp3", sha256="0" * 64, seconds=95.0, channels=2,
            distinct_channels=True, codec="mp3", size_bytes=1_000_000,
        ),
        transcript=TranscriptSummary(
            filename=f"note_{note_id}_{known}.txt", model="scribe_v2", seconds=95.0,
            utterances=20, roles_confidence=1.0, transcribed_at=at,
        ),
        crm_note=CrmNote(note_ids=(note_id + 1,), written_at=at),
        analysis=Analysis(
            call_type_id=1, call_type="первичка",
            scores={f"criterion_{place}": 7 for place in range(17)}, overall=7.0,
            recommendations=("Назовите себя и клинику в начале разговора",) * 3,
            needs_review=False, scorecard_version="1", model="gpt-6-luna", analysed_at=at,
        ),
        stored_at=at,
        updated_at=at,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
