"""A run of 20,000 calls: the memory of the worker that has it, and what a full queue costs.

The calls are stored in bulk as analysed ones that lack their note, so that the cheapest real step
is left: one worker sweeps them all, queues a job for each, writes notes for a while and exports
their days. Ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from fleet.databases import fresh, running
from fleet.processes import peak_megabytes, read_settings, settings_at, working
from fleet.simulator import DAY, Providers, simulated, world_of
from medai.bootstrap import Application, open_application
from medai.calls.models import Analysis, Call, Stage, TranscriptSummary
from medai.cli.demo.scenario import connect
from medai.datalens.days import ExportDays
from medai.infra.jobs import SCHEMA
from medai.infra.logging import configure_logging
from medai.kit.chunks import chunks
from medai.kit.days import DayRange
from medai.kit.ids import call_id
from medai.processing.ports import Job, Queue, Task
from medai.sandbox.client import Control
from medai.transcription.models import Role, Transcript, Utterance
from medai.transcription.repository import TRANSCRIPTS

CALLS, QUICK_CALLS = 20_000, 2_000
NOTE_SECONDS, QUICK_NOTE_SECONDS = 40.0, 5.0
MOST_MEGABYTES = 300
MOST_FETCH_MS = 10.0
FETCHES = 50
CARDS = 100
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.5
_BATCH = 1_000
_UTTERANCES = 20
_AT_ONCE = {
    Queue.RECORDINGS: 4, Queue.TRANSCRIPTION: 4, Queue.NOTES: 4, Queue.ANALYSIS: 4, Queue.EXPORT: 1,
}  # fmt: skip
DAYS = 20
"""A day is exported as a whole: 1,000 calls of one clinic are a very large one."""
TIME = DayRange(DAY - timedelta(days=DAYS - 1), DAY)
_NOON = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
_FETCH = f"SELECT id FROM {SCHEMA}.procrastinate_fetch_job_v2(%s::varchar[], NULL)"  # noqa: S608
_WAITING = f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE queue_name = 'notes'"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Memory:
    """One worker's peak memory in megabytes: after the sweep and `notes` notes, at the end."""

    calls: int
    notes: int
    noted_megabytes: float
    export_seconds: float
    peak_megabytes: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Milliseconds of one fetch (median): of one of `jobs` waiting ones, of none beside them."""

    jobs: int
    lock_index: bool
    fetch_ms: float
    empty_queue_ms: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    options.add_argument("--quick", action="store_true", help="2,000 calls")
    given = options.parse_args()
    configure_logging(level="ERROR", json_lines=True)
    calls = QUICK_CALLS if given.quick else CALLS
    note_seconds = QUICK_NOTE_SECONDS if given.quick else NOTE_SECONDS
    with tempfile.TemporaryDirectory(prefix="mdb", dir="/tmp") as name, running(Path(name)) as dsn:
        fetches = asyncio.run(_fetches(calls, fresh(dsn, 1), Path(name)))
        memory = _memory(calls, note_seconds, fresh(dsn, 0), Path(name))
    figures = {"memory": asdict(memory), "fetch": [asdict(one) for one in fetches]}
    print(json.dumps(figures, indent=2))
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")
    missed = _missed(memory, fetches)
    for text in missed:
        print(f"GOAL MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def _missed(memory: Memory, fetches: list[Fetch]) -> list[str]:
    missed = []
    if memory.peak_megabytes > MOST_MEGABYTES:
        missed.append(f"{memory.calls} calls took {memory.peak_megabytes} MB")
    slow = [one for one in fetches if one.lock_index and one.fetch_ms > MOST_FETCH_MS]
    missed += [f"a fetch beside {one.jobs} jobs takes {one.fetch_ms} ms" for one in slow]
    return missed


def _memory(calls: int, note_seconds: float, dsn: str, folder: Path) -> Memory:
    with simulated(Providers(calls=CARDS, slots=4, stt_seconds=1.0)) as (url, _):
        return asyncio.run(_remembered(calls, note_seconds, url, dsn, folder))


async def _remembered(calls: int, note_seconds: float, url: str, dsn: str, folder: Path) -> Memory:
    environment = settings_at(url, dsn, folder)
    async with open_application(read_settings(environment)) as application:
        with Control(url) as control:
            (clinic,) = control.clinics()
            await connect(application, clinic)
            client_id: str = clinic["client_id"]
            await _store(application, client_id, calls)
            with working(1, environment, _AT_ONCE, dsn) as (pid,):
                await asyncio.sleep(note_seconds)
                await _until(partial(_all_queued, application, control, calls))
                notes, noted = control.bill()["notes"], peak_megabytes(pid)
                began = time.monotonic()
                for day in TIME:
                    await ExportDays(application.documents).touch(client_id, day)
                await application.jobs.defer(_export(client_id))
                await _until(partial(_all_exported, application, client_id, calls))
                return Memory(
                    calls=calls,
                    notes=notes,
                    noted_megabytes=noted,
                    export_seconds=round(time.monotonic() - began, 1),
                    peak_megabytes=peak_megabytes(pid),
                )


async def _store(application: Application, client_id: str, calls: int) -> None:
    (clinic,) = world_of(CARDS).clinics
    cards = sorted(clinic.leads)
    for numbers in chunks(range(calls), _BATCH):
        made = [_call(client_id, number, cards[number % len(cards)]) for number in numbers]
        await application.calls.insert_many(made)
        await application.documents.put_many(TRANSCRIPTS, [_transcript(call) for call in made])


def _call(client_id: str, number: int, lead_id: int) -> Call:
    """Analysed, its transcript is not in the CRM yet."""
    age = timedelta(days=number % DAYS)
    return Call(
        id=call_id(client_id, number),
        client_id=client_id,
        subdomain="bulk-clinic",
        note_id=number,
        collection="leads",
        entity_id=lead_id,
        lead_id=lead_id,
        duration_seconds=60,
        recording_url="http://127.0.0.1/recording",
        started_at=_NOON - age,
        business_day=DAY - age,
        stage=Stage.ANALYSED,
        transcription_requested_at=_NOON,
        analysis_requested_at=_NOON,
        transcript=TranscriptSummary(
            filename=f"{number}.txt",
            model="scribe_v2",
            seconds=60.0,
            utterances=_UTTERANCES,
            roles_confidence=1.0,
            transcribed_at=_NOON,
        ),
        analysis=Analysis(
            call_type_id=1,
            call_type="первичка",
            scores={f"criterion_{place}": 7 for place in range(12)},
            overall=7.0,
            recommendations=("Назовите себя и клинику в начале разговора",) * 3,
            needs_review=False,
            scorecard_version="1",
            model="gpt-6-luna",
            analysed_at=_NOON,
        ),
        stored_at=_NOON,
        updated_at=_NOON,
    )


def _transcript(call: Call) -> dict[str, Any]:
    said = Utterance(
        speaker="speaker_0", role=Role.ADMINISTRATOR, start_ms=0, end_ms=3_000,
        text="Добрый день, клиника, чем могу помочь?",
    )  # fmt: skip
    made = Transcript(
        call_id=call.id,
        client_id=call.client_id,
        recognition_id="bulk",
        utterances=(said,) * _UTTERANCES,
        roles_confidence=1.0,
        roles_source="channels",
        language="ru",
        model="scribe_v2",
        seconds=60.0,
        transcribed_at=_NOON,
    )
    return {"_id": call.id, **made.model_dump(exclude={"call_id"})}


def _export(client_id: str) -> Job:
    key = f"bench-export:{client_id}"
    return Job(task=Task.EXPORT, args={"client_id": client_id}, key=key, lock=key)


async def _until(reached: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not await reached():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker did not get that far")
        await asyncio.sleep(_LOOK_SECONDS)


async def _all_queued(application: Application, control: Control, calls: int) -> bool:
    """Whether the sweep has given every call a job."""
    async with application.pool.connection() as connection:
        row = await (await connection.execute(_WAITING)).fetchone()
    return row is not None and int(row[0]) + int(control.bill()["notes"]) >= calls


async def _all_exported(application: Application, client_id: str, calls: int) -> bool:
    found = await application.calls.count_by("stage", client_id, TIME)
    return bool(found.get(Stage.EXPORTED.value) == calls)


async def _fetches(jobs: int, dsn: str, folder: Path) -> list[Fetch]:
    """With our index on `lock`, then without it, in one database."""
    environment = settings_at("http://127.0.0.1:9", dsn, folder)
    async with open_application(read_settings(environment)) as application:
        waiting = [
            Job(Task.TRANSCRIBE, {"call_id": f"{number}"}, f"{number}", f"{number}", -number)
            for number in range(jobs)
        ]
        await application.jobs.defer_many(waiting)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"SET search_path = {SCHEMA}".encode())
        connection.execute(b"ANALYZE procrastinate_jobs")
        found = [_fetch(connection, jobs, lock_index=True)]
        connection.execute(f"DROP INDEX {SCHEMA}.medai_jobs_lock".encode())
        return [*found, _fetch(connection, jobs, lock_index=False)]


def _fetch(connection: psycopg.Connection[Any], jobs: int, *, lock_index: bool) -> Fetch:
    own, empty = (
        [_seconds(connection, queue) for _ in range(FETCHES)]
        for queue in (Queue.TRANSCRIPTION, Queue.NOTES)
    )
    return Fetch(jobs, lock_index, round(median(own) * 1000, 2), round(median(empty) * 1000, 2))


def _seconds(connection: psycopg.Connection[Any], queue: Queue) -> float:
    began = time.perf_counter()
    connection.execute(_FETCH.encode(), [[queue.value]]).fetchone()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
