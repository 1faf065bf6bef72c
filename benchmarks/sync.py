"""What a sync costs: CRM requests, seconds, processor time and memory (docs/benchmarks.md).

Each size has a fresh database, a simulator in a process of its own and a fresh measured process,
so that neither the simulator's work nor an earlier size counts. Ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from fleet.tables import table
from medai.bootstrap import Application, open_application
from medai.cli.demo.scenario import connect
from medai.crm.sync import SyncResult
from medai.infra.embedded import EmbeddedPostgres
from medai.infra.logging import configure_logging
from medai.kit.days import DayRange
from medai.sandbox.amocrm.options import Options, without_limits
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.bulk import generate_bulk
from medai.sandbox.world.models import Dialogue
from medai.settings import Settings

DAY = date(2026, 11, 19)
SIZES = (100, 1_000, 10_000)
LIMITED = 1_000
DEFAULT_RATE = 5.0
MAX_REQUESTS_PER_THOUSAND = 60
MAX_REQUESTS_IN_ONE_SECOND = 7
_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement. `rate` 0: limiter off, simulator without limits."""

    calls: int
    rate: float
    dsn: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Figures:
    """What one size cost. Memory in megabytes; CPU is of our process, PostgreSQL excluded."""

    calls: int
    rate: float
    requests: int
    requests_per_thousand: float
    busiest_second: int
    seconds: float
    cpu_seconds: float
    cpu_ms_per_call: float
    idle_megabytes: float
    peak_megabytes: float
    again_requests: int
    again_seconds: float
    again_changed: int

    def missed(self) -> Iterator[str]:
        """The goals that were not met, in words."""
        per_thousand = self.requests_per_thousand
        # A hundred calls pay for the same lists as a thousand: the goal is about full batches.
        if self.calls >= LIMITED and per_thousand > MAX_REQUESTS_PER_THOUSAND:
            yield f"{self.calls} calls: {per_thousand} requests per 1,000 calls"
        if self.rate and self.busiest_second > MAX_REQUESTS_IN_ONE_SECOND:
            yield f"{self.calls} calls: {self.busiest_second} requests in one second"
        if self.again_changed:
            yield f"{self.calls} calls: a second sync changed {self.again_changed} documents"


class _Silence:
    """Calls without recordings: a sync asks for none."""

    def dialogue_of(self, sha256: str) -> Dialogue | None:  # noqa: ARG002 - the port names it
        return None

    async def content(self, name: str) -> bytes | None:  # noqa: ARG002 - the port names it
        return None


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    target: Path | None = options.parse_args().json
    with tempfile.TemporaryDirectory(prefix="mdb", dir="/tmp") as folder:
        figures = _all(Path(folder))
    print(table(figures, _COLUMNS))
    if target is not None:
        target.write_text(json.dumps([asdict(one) for one in figures], indent=2) + "\n")
    missed = [text for one in figures for text in one.missed()]
    for text in missed:
        print(f"GOAL MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def _all(folder: Path) -> list[Figures]:
    server = EmbeddedPostgres(folder / "pg")
    dsn = server.start()
    try:
        orders = [(calls, 0.0) for calls in SIZES] + [(LIMITED, DEFAULT_RATE)]
        return [
            _measured(Task(calls, rate, _database(dsn, number), folder / str(number)))
            for number, (calls, rate) in enumerate(orders)
        ]
    finally:
        server.stop()


def _database(dsn: str, number: int) -> str:
    name = f"bench{number}"
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE medai".encode())
    return make_conninfo(dsn, dbname=name)


def _measured(task: Task) -> Figures:
    print(f"{task.calls} calls, {task.rate or 'no'} limit …", file=sys.stderr)
    with _child(_simulate, task) as simulator, _child(_measure, task, simulator.recv()) as ours:
        found = ours.recv()
    if not isinstance(found, Figures):
        raise TypeError("the measured process failed: see its error above")
    return found


@contextmanager
def _child(work: Any, *arguments: Any) -> Iterator[Connection]:
    """A fresh process that answers through the connection; ends when the connection closes."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=work, args=(there, *arguments))
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(_PATIENCE_SECONDS)
        process.kill()


def _simulate(parent: Connection, task: Task) -> None:
    """The CRM: `task.calls` calls, each with a lead and a contact of its own."""
    world = generate_bulk(seed=1, day=DAY, calls=task.calls, unique_cards=task.calls)
    limits = Options() if task.rate else without_limits()
    with SandboxServer(world, _Silence(), crm_limits=limits) as server:
        parent.send(server.url)
        parent.poll(None)  # until the parent closes its end


def _measure(parent: Connection, task: Task, url: str) -> None:
    configure_logging(level="ERROR", json_lines=True)
    parent.send(asyncio.run(_figures(task, url)))


async def _figures(task: Task, url: str) -> Figures:
    with Control(url) as control:
        async with open_application(_settings(task, url)) as application:
            (clinic,) = control.clinics()
            await connect(application, clinic)
            # The clinic's own set-up (pipelines, fields, users) is not a part of a sync.
            before = control.bill()["crm_requests"]
            idle = _peak_megabytes()
            first, seconds, cpu = await _sync(application, clinic["client_id"])
            bill = control.bill()
            again, again_seconds, _ = await _sync(application, clinic["client_id"])
            requests = bill["crm_requests"] - before
            if first.created != task.calls or again.found != task.calls:
                raise ValueError("the sync did not find every call")
            return Figures(
                calls=task.calls,
                rate=task.rate,
                requests=requests,
                requests_per_thousand=round(requests * 1000 / task.calls, 1),
                busiest_second=bill["crm_max_requests_in_one_second"],
                seconds=round(seconds, 2),
                cpu_seconds=round(cpu, 2),
                cpu_ms_per_call=round(cpu * 1000 / task.calls, 2),
                idle_megabytes=idle,
                peak_megabytes=_peak_megabytes(),
                again_requests=control.bill()["crm_requests"] - bill["crm_requests"],
                again_seconds=round(again_seconds, 2),
                again_changed=again.created + again.changed,
            )


async def _sync(application: Application, client_id: str) -> tuple[SyncResult, float, float]:
    began, cpu = perf_counter(), process_time()
    result = await application.syncs.run(client_id, DayRange(DAY, DAY))
    return result, perf_counter() - began, process_time() - cpu


def _peak_megabytes() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _settings(task: Task, url: str) -> Settings:
    values: dict[str, Any] = {
        "environment": "test",
        "medai_data_dir": task.folder,
        "medai_files_url": "",
        "postgres_dsn": task.dsn,
        "mongodb_uri": "",
        "amocrm_base_url_template": f"{url}/amocrm/{{subdomain}}",
        "amocrm_requests_per_second": task.rate,
    }
    return Settings(_env_file=None, **values)


_COLUMNS = {
    "calls": "calls",
    "rate": "limit/s",
    "requests": "requests",
    "requests_per_thousand": "per 1,000",
    "busiest_second": "busiest s",
    "seconds": "seconds",
    "cpu_seconds": "CPU s",
    "cpu_ms_per_call": "CPU ms/call",
    "idle_megabytes": "idle MB",
    "peak_megabytes": "peak MB",
    "again_requests": "again: requests",
    "again_seconds": "again: s",
    "again_changed": "again: changed",
}


if __name__ == "__main__":
    sys.exit(main())
