"""The export of a year: 20,000 calls of one clinic into the DataLens tables, beside simpler ways.

The calls are stored in bulk, analysed and exported already, so that reading, counting and writing
are measured and no marking of calls. Beside it, in the same run: a bare scan of the same documents,
a bare COPY of the very rows, an upsert of them row by row, and `dlt` loading the documents into
PostgreSQL, in an environment of its own: MEDAI_BENCH_DLT_PYTHON names its Python, without it dlt is
left out. Everything goes to PostgreSQL over TCP. Ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from statistics import median
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from fleet.databases import fresh, running_over_tcp
from fleet.processes import read_settings, settings_at
from fleet.tables import table
from medai.analysis.models import CallType
from medai.analysis.recommendations.repository import ConclusionsRepository
from medai.analysis.scorecards import scorecard
from medai.bootstrap import Application, open_application
from medai.calls.models import Analysis, Audio, Call, Direction, Stage, TranscriptSummary
from medai.calls.repository import CALLS, CallRepository, days_filter, from_document
from medai.clinics.repository import ClinicRepository
from medai.datalens.days import DueDay, ExportDays
from medai.datalens.postgres_exporter import PostgresExporter
from medai.datalens.tables import (
    CRITERIA,
    DAILY,
    DAY_TABLES,
    DETAILS,
    FUNNEL,
    key_columns,
    written_columns,
)
from medai.infra.documents import Documents
from medai.infra.logging import configure_logging
from medai.kit.chunks import chunks
from medai.kit.days import DayRange
from medai.kit.ids import call_id
from medai.metrics.tally import Tally
from medai.processing.export_parts import CountedDays, in_parts
from medai.processing.exports import Exports

CALLS_OF_A_YEAR, QUICK_CALLS = 20_000, 2_000
DAYS = 365
ROUNDS, QUICK_ROUNDS = 3, 1
ONE_DAY_ROUNDS = 3
CLIENT = "0b1c0000-0000-4000-8000-000000000001"
LAST_DAY = datetime(2026, 11, 19, tzinfo=UTC).date()
YEAR = DayRange(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)
ADMINISTRATORS = tuple(f"Администратор {letter}." for letter in "АБВГДЕ")
ON_SHIFT = 2
SOURCES = ("Сайт", "Яндекс Карты", "Звонок", "Рекомендация", "Неопределенный")
SOURCE_WEIGHTS = (30, 20, 35, 5, 10)
TYPE_WEIGHTS = {
    CallType.FIRST: 40, CallType.REPEAT: 25, CallType.CALL_BACK: 15, CallType.CONFIRMATION: 20,
}  # fmt: skip
SOURCES_DIR = Path(__file__).resolve().parents[1] / "src"
GOALS = {"write": 2.5, "end to end": 2.0, "one day": 0.01}


@dataclass(frozen=True, slots=True)
class Way:
    """`ratio` is to the line it is compared with; `goal` is the largest ratio that is right."""

    what: str
    seconds: float
    compared_with: str = ""
    ratio: float | None = None
    goal: float | None = None


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    options.add_argument("--quick", action="store_true", help="2,000 calls, goals not judged")
    given = options.parse_args()
    configure_logging(level="ERROR", json_lines=True)
    calls, rounds = (QUICK_CALLS, QUICK_ROUNDS) if given.quick else (CALLS_OF_A_YEAR, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="mdb", dir="/tmp") as folder:
        figures = _measured(Path(folder), calls, rounds)
    print(table([Way(**way) for way in figures["ways"]]))
    print(json.dumps({name: value for name, value in figures.items() if name != "ways"}))
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    missed = [w for w in figures["ways"] if w["goal"] is not None and w["ratio"] > w["goal"]]
    for way in missed:
        print(f"GOAL MISSED: {way['what']}: {way['ratio']}, not {way['goal']}", file=sys.stderr)
    return 1 if missed and not given.quick else 0


def _measured(folder: Path, calls: int, rounds: int) -> dict[str, Any]:
    with running_over_tcp(folder) as dsn:
        year = fresh(dsn, 0)
        figures = asyncio.run(_year(year, folder, calls, rounds))
        figures["year_peak_mb"] = _exported_by_a_process(year, folder)
        one_day = fresh(dsn, 1)
        asyncio.run(_stored(one_day, folder, calls, 1))
        figures["one_day_peak_mb"] = _exported_by_a_process(one_day, folder)
    return figures


async def _stored(dsn: str, folder: Path, calls: int, days: int) -> None:
    async with open_application(_settings(dsn, folder)) as application:
        await _store(application, calls, days)


async def _year(dsn: str, folder: Path, calls: int, rounds: int) -> dict[str, Any]:
    async with open_application(_settings(dsn, folder)) as application:
        await _store(application, calls, DAYS)
        stored = [call async for call in application.calls.of_days(CLIENT, YEAR)]
        parts = _parts(application, stored)
        rows = {t.name: sum(len(part[t.name]) for part in parts) for t in DAY_TABLES}
        del stored
        took: dict[str, list[float]] = {}

        async def timed(what: str, work: Callable[[], Awaitable[object]]) -> None:
            gc.collect()
            began = time.perf_counter()
            await work()
            took.setdefault(what, []).append(time.perf_counter() - began)

        counting = Counting(application.documents)
        exports = _exports(application, counting)
        for number in range(rounds):
            await timed("scan", lambda: _scan(application.documents, decode=False))
            await timed("scan and decode", lambda: _scan(application.documents, decode=True))
            await _empty(application)
            await timed("bare COPY", lambda: _bare_copy(application, parts))
            await _empty(application)
            await timed("write phase", lambda: _write(application, parts))
            await timed("write phase, nothing new", lambda: _write(application, parts))
            await _empty(application)
            await ExportDays(application.documents).touch_all(None)
            counting.queries = 0
            await timed("end to end", lambda: exports.export(CLIENT))
            queries = counting.queries
            await timed("end to end, nothing new", lambda: exports.export(CLIENT, full=True))
            await _settled(application)
            for again in range(ONE_DAY_ROUNDS):
                await _change_one_call(application, number, again)
                counting.queries = 0
                await timed("one day of 365", lambda: exports.export(CLIENT))
                day_queries = counting.queries
            await timed("nothing due", lambda: exports.export(CLIENT))
        await _empty(application)
        await timed("row by row", lambda: _row_by_row(application, parts))
    seconds = {what: median(each) for what, each in took.items()}
    dlt = _dlt(dsn, folder)
    return {
        "calls": calls, "days": DAYS, "rows": rows,
        "queries_of_a_full_run": queries, "queries_of_one_day": day_queries,
        "dlt_seconds": dlt,
        "ways": [asdict(way) for way in _ways(seconds, dlt)],
    }  # fmt: skip


def _ways(seconds: dict[str, float], dlt: float | None) -> list[Way]:
    pairs: list[tuple[str, str, float | None]] = [
        ("scan", "", None),
        ("scan and decode", "", None),
        ("bare COPY", "", None),
        ("write phase", "bare COPY", GOALS["write"]),
        ("write phase, nothing new", "bare COPY", None),
        ("row by row", "write phase", None),
        ("end to end", "scan and decode", GOALS["end to end"]),
        ("end to end, nothing new", "scan and decode", None),
        ("one day of 365", "end to end", GOALS["one day"]),
        ("nothing due", "end to end", None),
    ]
    if dlt is not None:
        seconds = {**seconds, "dlt": dlt}
        pairs.append(("dlt", "end to end", None))
    return [
        Way(
            what=what,
            seconds=round(seconds[what], 4),
            compared_with=base,
            ratio=round(seconds[what] / seconds[base], 4) if base else None,
            goal=goal,
        )
        for what, base, goal in pairs
    ]


class Counting:
    """A document store that counts the questions it is asked."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.queries = 0

    def __getattr__(self, name: str) -> Any:
        self.queries += 1
        return getattr(self._documents, name)


def _exports(application: Application, documents: Any) -> Exports:
    return Exports(
        CallRepository(documents),
        ExportDays(documents),
        ConclusionsRepository(documents),
        ClinicRepository(documents, application.clock),
        PostgresExporter(application.pool),
        application.links,
        application.clock,
    )


def _settings(dsn: str, folder: Path) -> Any:
    return read_settings(settings_at("http://127.0.0.1:9", dsn, folder))


def _exported_by_a_process(dsn: str, folder: Path) -> float:
    """Peak memory of `medai export --full`, which is about 100 MB before it does anything."""
    environment = settings_at("http://127.0.0.1:9", dsn, folder)
    command = [sys.executable, "-c", _EXPORTING]
    path = {"PYTHONPATH": str(SOURCES_DIR), "PATH": os.environ["PATH"]}
    answer = subprocess.run(  # noqa: S603 - our own words
        command, env={**path, **environment}, cwd=folder, check=True, capture_output=True, text=True
    )
    return round(float(answer.stdout.splitlines()[-1]) / 1024, 1)


_EXPORTING = """
import sys
sys.argv = ["medai", "export", "--full"]
from medai.__main__ import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
# Not getrusage: that remembers the memory of the process which started this one.
lines = open("/proc/self/status").read().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""


async def _store(application: Application, calls: int, days: int) -> None:
    dice = random.Random(days)
    shifts = [dice.sample(ADMINISTRATORS, ON_SHIFT) for _ in range(days)]
    for numbers in chunks(range(calls), 1_000):
        made = [_call(number, number % days, shifts[number % days], dice) for number in numbers]
        await application.calls.insert_many(made)
    due = ExportDays(application.documents)
    for age in range(days):
        await due.touch(CLIENT, LAST_DAY - timedelta(days=age))
    async with application.pool.connection() as connection:
        await connection.execute("VACUUM ANALYZE documents.calls")


def _call(number: int, age: int, shift: list[str], dice: random.Random) -> Call:
    day = LAST_DAY - timedelta(days=age)
    moment = datetime.combine(day, clock_time(6), UTC) + timedelta(seconds=dice.randrange(40_000))
    (kind,) = dice.choices(list(TYPE_WEIGHTS), list(TYPE_WEIGHTS.values()))
    inbound = kind in (CallType.FIRST, CallType.REPEAT)
    return Call(
        id=call_id(CLIENT, number),
        client_id=CLIENT,
        subdomain="bench-clinic",
        note_id=number,
        collection="leads",
        entity_id=number,
        lead_id=number,
        lead_name=f"Сделка {number}",
        administrator=dice.choice(shift),
        administrator_confidence=1.0,
        source=dice.choices(SOURCES, SOURCE_WEIGHTS)[0],
        processing_speed_minutes=dice.choice((0, 3, 15)),
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        duration_seconds=dice.randrange(20, 400),
        phone="+79000000001",
        recording_url=f"https://pbx.example/recordings/{number}.mp3",
        started_at=moment,
        business_day=day,
        converted=dice.random() < 0.3,
        stage=Stage.EXPORTED,
        transcription_requested_at=moment,
        analysis_requested_at=moment,
        audio=Audio(
            file=f"audio/{number}.mp3",
            sha256="0" * 64,
            seconds=60.0,
            channels=2,
            distinct_channels=True,
            codec="mp3",
            size_bytes=480_000,
        ),
        transcript=TranscriptSummary(
            filename=f"call_{number}.txt",
            model="scribe_v2",
            seconds=60.0,
            utterances=20,
            roles_confidence=1.0,
            transcribed_at=moment,
        ),
        analysis=Analysis(
            call_type_id=int(kind),
            call_type=kind.label,
            scores={
                key: None if dice.random() < 0.1 else dice.randrange(11)
                for key in scorecard(kind).keys
            },
            overall=round(dice.uniform(3, 10), 1),
            recommendations=("Назовите себя и клинику в начале разговора",) * 3,
            needs_review=False,
            scorecard_version="medai-1",
            model="gpt-6-luna",
            analysed_at=moment,
        ),
        stored_at=moment,
        updated_at=moment,
    )


def _parts(application: Application, stored: list[Call]) -> list[dict[str, list[Any]]]:
    """The rows of the export in its own parts of days."""
    days = sorted({call.business_day for call in stored})
    sizes = Counter(call.business_day for call in stored)
    due = [DueDay("", CLIENT, day, 1) for day in days]
    parts: list[dict[str, list[Any]]] = []
    for part in in_parts(due, sizes):
        wanted, counted = {each.day for each in part}, CountedDays(Tally(application.links))
        for call in stored:
            if call.business_day in wanted:
                counted.add(call)
        parts.append(
            {
                DAILY.name: list(counted.tally.daily.rows()),
                CRITERIA.name: list(counted.tally.criteria.rows()),
                DETAILS.name: counted.details,
                FUNNEL.name: list(counted.tally.funnel.rows()),
                "days": [each.day for each in part],
            }
        )
    return parts


async def _scan(documents: Documents, *, decode: bool) -> None:
    where = days_filter(CLIENT, YEAR)
    found = documents.find(CALLS, where, sort=(("business_day", 1), ("started_at", 1)))
    async with aclosing(found):
        async for document in found:
            if decode:
                from_document(document)


async def _empty(application: Application) -> None:
    async with application.pool.connection() as connection:
        for one in DAY_TABLES:
            await connection.execute(f"TRUNCATE public.{one.name}".encode())


async def _settled(application: Application) -> None:
    """As autovacuum leaves it: hours lie between a year's export and that of one changed day."""
    async with application.pool.connection() as connection:
        await connection.execute("VACUUM (ANALYZE)")


async def _bare_copy(application: Application, parts: list[dict[str, list[Any]]]) -> None:
    """One COPY per table, columns and indexes as they are, nothing compared."""
    async with application.pool.connection() as connection, connection.transaction():
        cursor = connection.cursor()
        for one in DAY_TABLES:
            columns = written_columns(one)
            query = SQL("COPY {} ({}) FROM STDIN").format(
                Identifier("public", one.name), SQL(", ").join(map(Identifier, columns))
            )
            async with cursor.copy(query) as stream:
                for part in parts:
                    for row in part[one.name]:
                        await stream.write_row(row)


async def _write(application: Application, parts: list[dict[str, list[Any]]]) -> None:
    exporter = PostgresExporter(application.pool)
    for part in parts:
        async with exporter.replacing(CLIENT, part["days"]) as replacement:
            for one in DAY_TABLES:
                await replacement.add(one, part[one.name])


async def _row_by_row(application: Application, parts: list[dict[str, list[Any]]]) -> None:
    """What the replaced exporter did, in one transaction."""
    async with application.pool.connection() as connection, connection.transaction():
        for one in DAY_TABLES:
            columns, key = written_columns(one), key_columns(one)
            query = SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
                Identifier("public", one.name),
                SQL(", ").join(map(Identifier, columns)),
                SQL(", ").join(SQL("%s") for _ in columns),
                SQL(", ").join(map(Identifier, key)),
                SQL(", ").join(
                    SQL("{0} = EXCLUDED.{0}").format(Identifier(name))
                    for name in columns
                    if name not in key
                ),
            )
            for part in parts:
                for row in part[one.name]:
                    await connection.execute(query, row)


async def _change_one_call(application: Application, number: int, again: int) -> None:
    call = call_id(CLIENT, number)
    await application.calls.change(call, {"duration_seconds": 500 + 10 * number + again})
    found = await application.calls.get(call)
    if found is not None:
        await ExportDays(application.documents).touch(CLIENT, found.business_day)


def _dlt(dsn: str, folder: Path) -> float | None:
    """Seconds of dlt's load of the same documents, in a process and a database of its own."""
    python = os.environ.get("MEDAI_BENCH_DLT_PYTHON")
    if not python:
        return None
    program = Path(__file__).with_name("fleet") / "loading_with_dlt.py"
    addresses = [_address(dsn), _address(fresh(dsn, 2))]
    answer = subprocess.run(  # noqa: S603 - the caller's own Python
        [python, str(program), *addresses, str(folder / "dlt")],
        check=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(answer.stdout.splitlines()[-1])


def _address(dsn: str) -> str:
    """As a URL, which is the only form dlt takes."""
    parts = conninfo_to_dict(dsn)
    return f"postgresql://{parts['user']}:unused@{parts['host']}:{parts['port']}/{parts['dbname']}"


if __name__ == "__main__":
    sys.exit(main())
