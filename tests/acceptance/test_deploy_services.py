"""The very commands of docker-compose.yml as processes: entry points, health checks, their end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.fixtures import compose, dockerfile
from tests.fixtures.application import empty_mongodb
from tests.fixtures.command_line import SOURCES, foreign_settings
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.stores import free_port
from tests.unit.test_deploy_compose import made_env

from medai.infra.embedded_server import binaries
from medai.sandbox.credentials import BOT_TOKEN

_START_SECONDS = 120
_TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Stack:
    """The services of the compose file; stores, ports and folders are those of the test."""

    services: dict[str, compose.Service]
    env: dict[str, str]
    here: dict[str, str]
    programs: Path

    def environment(self, name: str, **changes: str) -> dict[str, str]:
        told = compose.settings_of(self.services[name], self.env)
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        around = {**foreign_settings(), "PYTHONPATH": str(SOURCES)}
        return {**around, **told, **self.here, "PATH": path, **changes}

    async def start(self, name: str, **changes: str) -> asyncio.subprocess.Process:
        return await self._process(self.services[name]["command"], name, changes)

    async def healthy(self, name: str, **changes: str) -> bool:
        """What the health check of the file says."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        checking = await self._process(words, name, changes)
        return await checking.wait() == 0

    async def _process(
        self, words: list[str], name: str, changes: dict[str, str]
    ) -> asyncio.subprocess.Process:
        environment = self.environment(name, **changes)
        # 9100 is the port inside a container; two processes of one machine need two.
        words = [environment["MEDAI_WORKER_METRICS_PORT"] if w == "9100" else w for w in words]
        return await asyncio.create_subprocess_exec(
            *words, cwd=self.programs, env=environment, stdout=asyncio.subprocess.DEVNULL
        )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with what the image has on its PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    dockerfile.programs(folder)
    (folder / "medai").write_text(f'#!/bin/sh\nexec {sys.executable} -m medai "$@"\n')
    (folder / "medai").chmod(0o755)
    return folder


@pytest.fixture
async def stack(
    sandbox: RunningSandbox, postgres_dsn: str, mongodb_uri: str, programs: Path, tmp_path: Path
) -> AsyncIterator[Stack]:
    env = {**made_env(tmp_path), "BOT_TOKEN": BOT_TOKEN, "EVENLABS": "none", "OPENAI": "none"}
    address: dict[str, Any] = conninfo_to_dict(postgres_dsn)
    async with empty_mongodb(mongodb_uri) as (uri, database):
        here = {
            "MEDAI_DATA_DIR": str(tmp_path / "data"),
            "MEDAI_HOST": "127.0.0.1",
            "MEDAI_PORT": str(free_port()),
            "MEDAI_SCHEDULES": "false",
            "MONGODB_URI": uri,
            "MONGODB_NAME": database,
            "POSTGRES_HOST": address["host"],
            "POSTGRES_DB": address["dbname"],
            "POSTGRES_USER": address["user"],
            "TELEGRAM_API_BASE_URL": f"{sandbox.url}/telegram",
        }
        yield Stack(compose.services(env), env, here, programs)


@asynccontextmanager
async def running(*started: asyncio.subprocess.Process) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def until_healthy(
    stack: Stack, name: str, process: asyncio.subprocess.Process, **changes: str
) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while not await stack.healthy(name, **changes):
            assert process.returncode is None, f"{name} ended with {process.returncode}"
            await asyncio.sleep(0.5)


def grace(service: compose.Service) -> float:
    return float(service["stop_grace_period"].removesuffix("s"))


async def test_the_services_start_are_healthy_and_end_in_their_time(stack: Stack) -> None:
    upgraded = await stack.start("upgrade")
    assert await upgraded.wait() == 0
    ports = {name: {"MEDAI_WORKER_METRICS_PORT": str(free_port())} for name in ("worker", "bot")}
    each: dict[str, dict[str, str]] = {
        "api": {}, "worker": ports["worker"], "telegram-bot": ports["bot"],
    }  # fmt: skip
    assert not await stack.healthy("api"), "nobody listens yet"
    started = {name: await stack.start(name, **changes) for name, changes in each.items()}
    async with running(*started.values()):
        for name, changes in each.items():
            await until_healthy(stack, name, started[name], **changes)
        await the_api_is_the_owners(stack)
        for name, process in started.items():
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(grace(stack.services[name])):
                assert await process.wait() == _TERMINATED, name
    assert not await stack.healthy("worker", **ports["worker"])


async def the_api_is_the_owners(stack: Stack) -> None:
    base = f"http://127.0.0.1:{stack.here['MEDAI_PORT']}"
    async with httpx2.AsyncClient(base_url=base, trust_env=False) as client:
        assert (await client.get("/api/status")).status_code == 200
        assert (await client.get("/api/admin/clinics")).status_code == 401
        key = {"X-API-Key": stack.env["API_KEY"]}
        assert (await client.get("/api/admin/clinics", headers=key)).json() == []


@pytest.mark.parametrize(
    "changes", [{"BOT_TOKEN": ""}, {"TELEGRAM_WEBHOOK_URL": "https://a.example/telegram/webhook"}]
)
async def test_without_a_bot_its_container_waits_and_is_healthy(
    stack: Stack, changes: dict[str, str]
) -> None:
    idle = await stack.start("telegram-bot", **changes)
    async with running(idle):
        assert await stack.healthy("telegram-bot", **changes)
        idle.terminate()
        assert await idle.wait() in (-signal.SIGTERM, _TERMINATED)


async def test_postgres_is_asked_by_its_own_check(stack: Stack) -> None:
    kind, words = stack.services["postgres"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    path = f"{binaries()}{os.pathsep}{os.environ['PATH']}"
    folder = stack.here["POSTGRES_HOST"]
    for host, expected in ((folder, 0), (f"{folder}-none", 2)):
        environment = {**stack.environment("postgres"), "PGHOST": host, "PATH": path}
        asking = await asyncio.create_subprocess_exec("sh", "-c", words, env=environment)
        assert await asking.wait() == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away: needs root")
async def test_the_data_folder_is_given_to_the_services(stack: Stack, tmp_path: Path) -> None:
    for place in _folders(tmp_path):
        (place / "deep").mkdir(parents=True, mode=0o700)
        (place / "deep" / "file").write_text("")
    words = stack.services["data-folder"]["command"]
    assert "-ignore_readdir_race" in words, "fails now and then beside a working service"
    mapped = [str(tmp_path / word[1:]) if word in ("/data", "/backups") else word for word in words]
    giving = await asyncio.create_subprocess_exec(*mapped)
    assert await giving.wait() == 0
    for place in _folders(tmp_path):
        owners = {(one.stat().st_uid, one.stat().st_gid) for one in (place, *place.rglob("*"))}
        assert owners == {(10001, 10001)}


def _folders(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    yield tmp_path / "backups"
