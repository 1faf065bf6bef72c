"""What the pipeline costs with 1, 2 and 4 workers, and how near it comes to a provider's limit.

Every provider answers after a fixed time (docs/benchmarks.md). Each run has a fresh database, a
simulator in a process of its own and fresh workers. Ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet.databases import fresh, running
from fleet.processes import (
    cpu_seconds,
    peak_megabytes,
    postgres_seconds,
    read_settings,
    settings_at,
    working,
)
from fleet.simulator import DAY, Providers, Watch, simulated
from fleet.tables import table
from medai.bootstrap import Application, open_application
from medai.cli.demo.scenario import connect
from medai.infra.logging import configure_logging
from medai.kit.days import DayRange
from medai.processing.ports import Queue
from medai.sandbox.client import Control

STT_SECONDS = 2.0
AT_ONCE = {
    Queue.RECORDINGS: 4, Queue.TRANSCRIPTION: 2, Queue.NOTES: 4, Queue.ANALYSIS: 6, Queue.EXPORT: 1,
}  # fmt: skip
"""Jobs of one worker at once: recognition is its bottleneck, one call a second."""
HIGH_CAP, LOW_CAP = 64, 4
CALLS, QUICK_CALLS = 160, 24
IDLE_SECONDS = 20.0
SHARE_GOAL = 0.95
SPEED_UP_GOALS = {2: 1.9, 4: 3.6}
_STEPS_LEFT = (
    "SELECT count(*) FROM jobs.procrastinate_jobs WHERE status IN ('todo', 'doing')"
    " AND queue_name IN ('recordings', 'transcription', 'notes', 'analysis')"
)
_LOOK_SECONDS = 0.1
_MOST_SECONDS = 300.0
TODAY = DayRange(DAY, DAY)


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement: `slots` recognitions at once in the whole fleet."""

    workers: int
    slots: int
    calls: int
    dsn: str
    folder: Path

    @property
    def at_once(self) -> int:
        """Recognitions that can be under way."""
        return min(self.workers * AT_ONCE[Queue.TRANSCRIPTION], self.slots)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run cost. CPU is of our workers; PostgreSQL apart; the simulator is not counted.

    `stt_seconds` is the mean time of a recognition at the provider's door; `ceiling` the calls a
    minute that so many at once of that length allow.
    """

    workers: int
    slots: int
    calls: int
    seconds: float
    calls_per_minute: float
    stt_seconds: float
    ceiling: float
    share: float
    peak_slots: int
    start_ms: float
    cpu_ms_per_call: float
    postgres_ms_per_call: float
    idle_percent: float | None
    idle_postgres_percent: float | None
    peak_megabytes: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    options.add_argument("--quick", action="store_true", help="fewer calls, goals not judged")
    given = options.parse_args()
    configure_logging(level="ERROR", json_lines=True)
    with tempfile.TemporaryDirectory(prefix="mdb", dir="/tmp") as folder:
        figures = _all(Path(folder), QUICK_CALLS if given.quick else CALLS)
    print(table(figures, _COLUMNS))
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(one) for one in figures], indent=2) + "\n")
    # A short run is mostly its beginning and its end: it shows that everything works, no more.
    missed = [] if given.quick else list(_missed(figures))
    for text in missed:
        print(f"GOAL MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def _missed(figures: list[Figures]) -> Iterator[str]:
    alone = figures[0].calls_per_minute
    for one in figures:
        if one.slots == LOW_CAP and one.share < SHARE_GOAL:
            yield f"{one.workers} workers use {one.share:.3f} of {one.slots} slots"
        goal = SPEED_UP_GOALS.get(one.workers)
        if goal and one.slots == HIGH_CAP and one.calls_per_minute < goal * alone:
            yield f"{one.workers} workers are {one.calls_per_minute / alone:.2f} times as fast"


def _all(folder: Path, calls: int) -> list[Figures]:
    orders = [(1, HIGH_CAP), (2, HIGH_CAP), (4, HIGH_CAP), (4, LOW_CAP)]
    with running(folder) as dsn:
        return [
            _measured(Task(workers, slots, calls, fresh(dsn, number), folder / str(number)))
            for number, (workers, slots) in enumerate(orders)
        ]


def _measured(task: Task) -> Figures:
    print(f"{task.workers} workers, {task.slots} slots, {task.calls} calls …", file=sys.stderr)
    with simulated(Providers(task.calls, task.slots, STT_SECONDS)) as (url, watch):
        found = asyncio.run(_figures(task, url, watch))
    print(f"  {asdict(found)}", file=sys.stderr)
    return found


async def _figures(task: Task, url: str, watch: Watch) -> Figures:
    environment = settings_at(url, task.dsn, task.folder, stt_concurrency=task.slots)
    async with open_application(read_settings(environment)) as application:
        with Control(url) as control:
            (clinic,) = control.clinics()
            await connect(application, clinic)
            client_id: str = clinic["client_id"]
            await application.syncs.run(client_id, TODAY)
            with working(task.workers, environment, AT_ONCE, task.dsn) as pids:
                return await _run(task, application, client_id, control, watch, pids)


async def _run(
    task: Task,
    application: Application,
    client_id: str,
    control: Control,
    watch: Watch,
    pids: list[int],
) -> Figures:
    cpu, postgres = cpu_seconds(pids), postgres_seconds(task.dsn)
    began = time.time()
    await application.requests.everything(client_id, TODAY)
    await _until_done(application)
    seconds = time.time() - began
    cpu, postgres = cpu_seconds(pids) - cpu, postgres_seconds(task.dsn) - postgres
    progress = await application.requests.progress(client_id, TODAY)
    paid = control.bill()["stt_paid"]
    if not progress.settled == progress.analysed == progress.noted == paid == task.calls:
        raise ValueError(f"not every call was done once: {progress}, paid {paid}")
    rate = task.calls / seconds * 60
    stt_seconds = watch.served_seconds.value / watch.recognitions.value
    ceiling = task.at_once / stt_seconds * 60
    idle = await _idle(task, pids) if task.workers == 1 else (None, None)
    return Figures(
        workers=task.workers,
        slots=task.slots,
        calls=task.calls,
        seconds=round(seconds, 2),
        calls_per_minute=round(rate, 1),
        stt_seconds=round(stt_seconds, 3),
        ceiling=round(ceiling, 1),
        share=round(rate / ceiling, 3),
        peak_slots=control.get("/elevenlabs/capacity")["peak"],
        start_ms=round((watch.asked_at.value - began) * 1000),
        cpu_ms_per_call=round(cpu * 1000 / task.calls, 1),
        postgres_ms_per_call=round(postgres * 1000 / task.calls, 1),
        idle_percent=idle[0],
        idle_postgres_percent=idle[1],
        peak_megabytes=max(peak_megabytes(pid) for pid in pids),
    )


async def _until_done(application: Application) -> None:
    """A job queues its successor before it ends, so an empty queue means the end."""
    deadline = time.monotonic() + _MOST_SECONDS
    async with application.pool.connection() as connection:
        while time.monotonic() < deadline:
            row = await (await connection.execute(_STEPS_LEFT)).fetchone()
            if row is not None and not row[0]:
                return
            await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError("the calls were not done in time")


async def _idle(task: Task, pids: list[int]) -> tuple[float, float]:
    """Percent of one core that a worker without work takes, and that PostgreSQL takes for it."""
    cpu, postgres = cpu_seconds(pids), postgres_seconds(task.dsn)
    await asyncio.sleep(IDLE_SECONDS)
    cpu, postgres = cpu_seconds(pids) - cpu, postgres_seconds(task.dsn) - postgres
    return round(cpu / IDLE_SECONDS * 100, 2), round(postgres / IDLE_SECONDS * 100, 2)


_COLUMNS = {
    "workers": "workers",
    "slots": "slots",
    "calls": "calls",
    "seconds": "seconds",
    "calls_per_minute": "calls/min",
    "stt_seconds": "STT s",
    "ceiling": "ceiling",
    "share": "share",
    "peak_slots": "peak slots",
    "start_ms": "start ms",
    "cpu_ms_per_call": "CPU ms/call",
    "postgres_ms_per_call": "PostgreSQL ms/call",
    "idle_percent": "idle %",
    "idle_postgres_percent": "idle PostgreSQL %",
    "peak_megabytes": "peak MB",
}


if __name__ == "__main__":
    sys.exit(main())
