"""The CRM account as four processes share it: one refresh of its token, one rate of requests."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.fixtures.application import SECRET, settings_for
from tests.fixtures.sandbox import RunningSandbox

from medai.bootstrap import Application, open_application
from medai.cli.demo.scenario import connect
from medai.crm.tokens import ClinicTokenStore
from medai.infra.crypto import TextCipher
from medai.infra.postgres import advisory_lock
from medai.kit.clock import utc_now
from medai.settings import Settings

PROCESSES = 4
COROUTINES = 100
TURNS_EACH = 7
"""Requests of each process while the limiter is on: together five seconds and a half of them."""
AMOCRM_LIMIT = 7
"""Requests of one integration in a second (amocrm.md 2.1): the eighth is refused."""
PATIENCE_SECONDS = 60.0
DEFAULT_RATE = Settings.model_fields["amocrm_requests_per_second"].default
REFRESH = "POST /oauth2/access_token"
ASKED = "GET /api/v4/leads/pipelines"

# Each line of the standard input says how many coroutines ask the CRM at once.
_ASKER = """
import asyncio, json, sys
from pathlib import Path
from medai.bootstrap import open_application
from medai.infra.logging import configure_logging
from tests.fixtures.application import settings_for

async def main():
    configure_logging(level="ERROR", json_lines=True)  # to the standard error
    url, dsn, folder, rate, client_id = sys.argv[1:]
    settings = settings_for(url, dsn, Path(folder), amocrm_requests_per_second=float(rate))
    async with open_application(settings) as app:
        account = await app.accounts.of(await app.clinics.require(client_id))
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = [account.pipelines() for _ in range(int(line))]
            found = await asyncio.gather(*asked, return_exceptions=True)
            wrong = [repr(one) for one in found if isinstance(one, Exception)]
            print(json.dumps(wrong), flush=True)

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Processes that have opened the same clinic's account and wait for orders."""

    processes: list[Process]
    app: Application
    sandbox: RunningSandbox
    clinic: dict[str, Any]

    async def ask(self, coroutines: int) -> list[str]:
        """Let so many coroutines of every process ask the CRM; returns what went wrong."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(f"{coroutines}\n".encode())
        answers = await asyncio.gather(*(_line(process) for process in self.processes))
        return [problem for answer in answers for problem in json.loads(answer)]

    async def let_token_expire(self) -> None:
        """As if everybody had slept past the end of the token."""
        control, cipher = self.sandbox.control, TextCipher(SECRET)
        store = ClinicTokenStore(
            self.clinic["client_id"],
            self.app.documents,
            cipher,
            lambda key: advisory_lock(self.app.pool, key),
            utc_now,
        )
        pair = await store.load()
        assert pair is not None
        await store.save(replace(pair, expires_at=utc_now() - timedelta(minutes=1)))
        control.post(f"/amocrm/{self.clinic['subdomain']}/revoke-access")

    def requests(self) -> dict[str, int]:
        """Requests that the CRM has seen, by method and path."""
        found: dict[str, int] = self.sandbox.control.bill()["crm_requests_by_path"]
        return found


@asynccontextmanager
async def fleet_at(
    sandbox: RunningSandbox, dsn: str, folder: Path, rate: float
) -> AsyncIterator[Fleet]:
    """A connected clinic and four processes, all with the limiter at `rate` a second (0: off)."""
    clinic = sandbox.control.clinics()[0]
    settings = settings_for(sandbox.url, dsn, folder, amocrm_requests_per_second=rate)
    arguments = (sandbox.url, dsn, str(folder), str(rate), clinic["client_id"])
    async with AsyncExitStack() as resources:
        app = await resources.enter_async_context(open_application(settings))
        await connect(app, clinic)
        processes = [await _started(resources, arguments) for _ in range(PROCESSES)]
        for process in processes:
            assert await _line(process) == b"ready\n"
        yield Fleet(processes, app, sandbox, clinic)


async def _started(resources: AsyncExitStack, arguments: tuple[str, ...]) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ASKER, *arguments),
        stdin=PIPE,
        stdout=PIPE,
        env={"PYTHONPATH": "src:.", "PATH": ""},
    )
    resources.push_async_callback(_ended, process)
    return process


async def _ended(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()  # the end of its orders
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _line(process: Process) -> bytes:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await process.stdout.readline()


async def test_a_token_that_ends_for_everybody_is_refreshed_once(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    async with fleet_at(sandbox, prepared_dsn, tmp_path, rate=0) as fleet:
        account = f"/amocrm/{fleet.clinic['subdomain']}"
        limits = dict.fromkeys(("requests_per_second", "account_requests_per_second"))
        sandbox.control.post(f"{account}/options", **limits)
        await fleet.let_token_expire()
        before = fleet.requests()
        assert await fleet.ask(COROUTINES) == []
        expired = fleet.requests()
        assert expired[REFRESH] - before[REFRESH] == 1
        # Nobody went ahead with the old token: each asked once.
        assert expired[ASKED] - before[ASKED] == PROCESSES * COROUTINES

        sandbox.control.post(f"{account}/revoke-access")  # all of them think theirs is good
        assert await fleet.ask(COROUTINES) == []
        assert fleet.requests()[REFRESH] - expired[REFRESH] == 1


async def test_processes_together_keep_the_rate_of_the_account(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> None:
    async with fleet_at(sandbox, prepared_dsn, tmp_path, rate=DEFAULT_RATE) as fleet:
        before = fleet.requests()
        assert await fleet.ask(TURNS_EACH) == []
        assert fleet.requests()[ASKED] - before[ASKED] == PROCESSES * TURNS_EACH
        assert sandbox.control.bill()["crm_max_requests_in_one_second"] <= AMOCRM_LIMIT
