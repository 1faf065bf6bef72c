"""How the service ends: once it is told to, in order, whatever else it is told meanwhile."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx2
import pytest
from tests.fixtures.application import API_KEY, SECRET
from tests.fixtures.command_line import SOURCES, command_line, foreign_settings
from tests.fixtures.stores import free_port

_READY_SECONDS, _END_SECONDS = 60.0, 40.0
_POLL_SECONDS = 0.1


async def started(folder: Path, dsn: str) -> asyncio.subprocess.Process:
    """`medai run` with a process group of its own, as a terminal gives it; its API answers."""
    port = free_port()
    medai = command_line("http://127.0.0.1:9", dsn, folder)
    own = {"MEDAI_PORT": str(port), "API_KEY": API_KEY, "MEDAI_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "medai", "run"),
        cwd=folder,
        env={**foreign_settings(), "PYTHONPATH": str(SOURCES), **medai.settings, **own},
        start_new_session=True,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(_READY_SECONDS), httpx2.AsyncClient(trust_env=False) as http:
        while True:
            try:
                await http.get(f"http://127.0.0.1:{port}/health/ready")
            except httpx2.TransportError:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return process


async def emptied(group: int) -> None:
    """Return once no process of the group is left."""
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(_POLL_SECONDS)


@pytest.mark.parametrize(
    ("signals", "code", "said"),
    [
        ([signal.SIGINT] * 3, 130, "Прервано."),
        ([signal.SIGTERM] * 3, 143, "Остановлено."),
    ],
    ids=["impatient person", "impatient system"],
)
async def test_signals_in_a_row_end_every_process_with_one_line(
    prepared_dsn: str, tmp_path: Path, signals: list[signal.Signals], code: int, said: str
) -> None:
    service = await started(tmp_path, prepared_dsn)

    for one in signals:
        os.killpg(service.pid, one)
        await asyncio.sleep(0)
    async with asyncio.timeout(_END_SECONDS):
        _, errors = await service.communicate()
        await emptied(service.pid)

    assert service.returncode == code
    last = [line for line in errors.decode().splitlines() if not line.startswith("20")]
    assert last == [f"{said} Незаконченное продолжится при следующем запуске."]
