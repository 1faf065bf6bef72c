"""Commands of the documents that stay: each starts, answers, and ends when it is told to."""

import asyncio
from pathlib import Path

import httpx2
from tests.fixtures.application import API_KEY, SECRET
from tests.fixtures.command_line import command_line
from tests.fixtures.stores import free_port

_READY_SECONDS = 90.0
_POLL_SECONDS = 0.1
_ENDED = (143, -15)


_HEALTH = "/health/ready"
_SERVICES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("api",), "MEDAI_PORT", _HEALTH),
    (("worker", "--queue", "transcription", "--queue", "analysis"),
     "MEDAI_WORKER_METRICS_PORT", _HEALTH),
    (("sandbox", "--no-voices"), "--port", "/control/clinics"),
)  # fmt: skip
"""The words, where the port is told, a page that answers 200 to everybody."""


async def test_services_start_and_end(postgres_dsn: str, tmp_path: Path) -> None:
    await asyncio.gather(
        *(
            _start_and_end(words, place, path, postgres_dsn, tmp_path)
            for words, place, path in _SERVICES
        )
    )


async def _start_and_end(
    words: tuple[str, ...], place: str, path: str, dsn: str, folder: Path
) -> None:
    port = str(free_port())
    medai = command_line("http://127.0.0.1:9", dsn, folder)
    medai.settings.update(API_KEY=API_KEY, MEDAI_SECRET=SECRET, MEDAI_PORT=str(free_port()))
    option = (place, port) if place.startswith("--") else ()
    medai.settings.update({} if option else {place: port})

    process = await medai.start(*words, *option)
    try:
        await _answers(f"http://127.0.0.1:{port}{path}", process)
    finally:
        process.terminate()
        code = await process.wait()
    assert code in _ENDED, (folder / f"{words[0]}.log").read_text(encoding="utf-8")


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_READY_SECONDS), httpx2.AsyncClient(trust_env=False) as http:
        while process.returncode is None:
            try:
                answer = await http.get(url)
            except httpx2.TransportError:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if answer.status_code == 200:
                return
        raise AssertionError("it has ended")
