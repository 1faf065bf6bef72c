"""`medai run` as a person runs it; its database and itself are killed in the middle of the work."""

import asyncio
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from tests.fixtures.application import API_KEY, SECRET, settings_for
from tests.fixtures.command_line import CommandLine, command_line
from tests.fixtures.sandbox import DAY
from tests.fixtures.stores import free_port

from medai.bootstrap import open_application
from medai.cli.demo.comparison import compare
from medai.cli.demo.scenario import Outcome
from medai.cli.running import EXIT_CODES
from medai.kit.days import DayRange
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.client import Control
from medai.sandbox.ledger import LlmRequest, NoteWritten, Recognition
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.bulk import generate_bulk

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = 40
DATABASE_DIES_AT, WORKERS_DIE_AT, SERVICE_DIES_AT = CALLS // 2, CALLS, 2 * CALLS
"""Of at least three steps of every call: a recognition, a note, an answer of the model."""
SETTINGS = {"API_KEY": API_KEY, "MEDAI_SECRET": SECRET, "ELEVENLABS_TIMEOUT_SECONDS": "10"}
"""A recognition that died with the service is repeated when it cannot be under way any more."""
_STEPS = (Recognition, NoteWritten, LlmRequest)
_WAIT_SECONDS = 90.0
_POLL_SECONDS = 0.1
_TERMINATED = 143


@dataclass(slots=True)
class Installation:
    """One clinic, a data folder with a database of its own, and the service on it."""

    medai: CommandLine
    server: SandboxServer
    control: Control
    port: int
    client_id: str
    service: asyncio.subprocess.Process | None = None

    @property
    def day(self) -> tuple[str, ...]:
        return ("--clinic", self.client_id, "--from", DAY.isoformat())

    @property
    def data(self) -> Path:
        return self.medai.folder / "data"

    async def start(self) -> None:
        """Run the service; returns when its API answers."""
        self.service = await self.medai.start("run")
        await until(self.answers, "the service does not answer")

    async def answers(self) -> bool:
        """Whether the API answers from its database."""
        return await self.calls() is not None

    async def has_finished(self) -> bool:
        """Whether every call is noted and analysed."""
        calls = await self.calls() or []
        analysed = sum(call["analyze_status"] == "success" for call in calls)
        return bool(analysed == self.control.bill()["notes"] == CALLS)

    async def calls(self) -> list[dict[str, Any]] | None:
        """Calls as the API gives them, None while it does not; the service itself must live."""
        assert self.service is not None
        assert self.service.returncode is None, "the service has ended"
        key = {"X-API-Key": API_KEY}
        async with httpx2.AsyncClient(headers=key, trust_env=False) as http:
            with suppress(httpx2.HTTPError):
                found = await http.get(f"http://127.0.0.1:{self.port}/api/calls/list")
                if found.status_code == httpx2.codes.OK:
                    calls: list[dict[str, Any]] = found.json()["data"]["calls"]
                    return calls
        return None

    def steps_done(self) -> int:
        entries = self.server.app.state.sandbox.ledger.entries()
        return sum(isinstance(entry, _STEPS) for entry in entries)

    def workers(self) -> list[int]:
        """Process ids of the workers beside the API."""
        assert self.service is not None
        return [pid for pid in children(self.service.pid) if "spawn_main" in command_of(pid)]

    def postmaster(self) -> int:
        return int((self.data / "pg" / "pg18" / "postmaster.pid").read_text().split()[0])


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition, awaitable or not. Raises TimeoutError."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        met = condition()
        if await met if asyncio.iscoroutine(met) else met:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(_POLL_SECONDS)


def children(parent: int) -> list[int]:
    """Process ids of the living children, as the kernel tells (Linux)."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int(folder.name)
            state, ppid = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                found.append(pid)
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def installation(short_dir: Path) -> AsyncIterator[Installation]:
    world = generate_bulk(seed=5, day=DAY, calls=CALLS, shared_recordings=CALLS)
    audio = AudioStore(world, short_dir / "recordings", ToneMaker())
    port = free_port()
    with SandboxServer(world, audio) as server, Control(server.url) as control:
        (clinic,) = control.clinics()
        medai = command_line(server.url, "", short_dir / "service")
        medai.folder.mkdir()
        medai.settings.update(MEDAI_PORT=str(port), **SETTINGS)
        made = Installation(medai, server, control, port, clinic["client_id"])
        options = ("name", "subdomain", "client_id", "redirect_url")
        words = [word for name in options for word in (f"--{name.replace('_', '-')}", clinic[name])]
        await made.start()
        added = await medai.run(
            "clinics", "add", *words,
            AMOCRM_CLIENT_SECRET=clinic["client_secret"], AMOCRM_AUTH_CODE=clinic["auth_code"],
        )  # fmt: skip
        assert (added.code, added.err) == (0, "")
        yield made
        if made.service and made.service.returncode is None:
            made.service.kill()
            await made.service.wait()
        print((medai.folder / "run.log").read_text())  # noqa: T201 - shown when a test fails


async def test_a_day_ends_as_the_truth_says_whoever_was_killed(
    installation: Installation,
) -> None:
    """A command works beside the service; the database dies under both, then workers, then all."""
    command = asyncio.create_task(installation.medai.run("process", *installation.day))

    await until(lambda: installation.steps_done() >= DATABASE_DIES_AT, "no work is done")
    os.kill(installation.postmaster(), signal.SIGKILL)
    await until(installation.answers, "the database is not brought back")
    await until(lambda: installation.steps_done() >= WORKERS_DIE_AT, "the work stands still")
    (killed,) = installation.workers()
    os.kill(killed, signal.SIGKILL)
    await until(lambda: installation.workers() not in ([], [killed]), "no workers come back")
    await until(lambda: installation.steps_done() >= SERVICE_DIES_AT, "the work stands still")
    assert installation.service is not None
    (orphan,) = installation.workers()
    installation.service.kill()
    await installation.service.wait()
    await until(lambda: not command_of(orphan), "the workers of a dead service work on")
    await installation.start()
    ended = await command
    await until(installation.has_finished, "the service does not finish what is left")

    # What waits for a second try of a minute later is left to the service.
    assert ended.code in (0, EXIT_CODES["incomplete"])
    bill = installation.control.bill()
    assert bill["notes"] == sum(bill["notes_by_card"].values()) == CALLS
    assert len(bill["stt_paid_by_sha256"]) == CALLS


async def test_two_exports_and_two_reports_at_once(installation: Installation) -> None:
    run, out = installation.medai.run, installation.medai.folder / "out"
    report = ("report", *installation.day, "--out", str(out))

    exports = await asyncio.gather(*(run("export", "--full") for _ in range(2)))
    reports = await asyncio.gather(*(run(*report) for _ in range(2)))

    assert [(one.code, one.err) for one in (*exports, *reports)] == [(0, "")] * 4
    assert sorted(file.suffix for file in out.iterdir()) == [".pdf", ".xlsx"]
    assert [file for file in out.iterdir() if not file.stat().st_size] == []


async def test_the_service_ends_in_order_and_everything_is_true(
    installation: Installation,
) -> None:
    assert installation.service is not None
    (workers,) = installation.workers()
    installation.service.terminate()
    assert await installation.service.wait() == _TERMINATED
    assert not command_of(workers)

    settings = settings_for(installation.server.url, "", installation.data)
    async with open_application(settings) as application:
        days = DayRange(DAY, DAY)
        found = await application.syncs.run(installation.client_id, days)
        outcome = Outcome(syncs={installation.client_id: found})
        control = installation.control
        compared = await compare(application, outcome, control.truth(), control.bill(), days)
        calls = [call async for call in application.calls.of_days(None, days)]
        clinic = await application.clinics.require(installation.client_id)

    lost = "распознаваний оплачено"  # a death may cost a second payment
    assert [line for line in compared.differences if not line.startswith(lost)] == []
    seconds = [math.ceil(call.transcript.seconds) for call in calls if call.transcript]
    assert clinic.limits.month_used_seconds == sum(seconds)
