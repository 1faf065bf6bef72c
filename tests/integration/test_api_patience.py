"""Half requests over real sockets: closed after a while; whole ones are answered at their pace."""

import asyncio
import socket
from collections.abc import AsyncIterator
from time import monotonic

import pytest
import uvicorn
from fastapi import FastAPI, Request

from medai.api.patience import PatientProtocol

SECONDS = 0.3
HEAD = "POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n"
_DEADLINE_SECONDS = 20


class Impatient(PatientProtocol):
    head_seconds = SECONDS
    silence_seconds = SECONDS


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server whose one route waits longer than a request may take to come."""
    api = FastAPI()

    @api.post("/echo")
    async def echo(request: Request) -> str:
        body = await request.body()
        await asyncio.sleep(2 * SECONDS)
        return body.decode()

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(api, http=Impatient, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving
    listener.close()


async def told(port: int, *parts: str, pause: float = 0.0) -> tuple[bytes, float]:
    """What the server says to these parts, and after how many seconds it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part.encode())
        await asyncio.sleep(pause)
    began = monotonic()
    async with asyncio.timeout(_DEADLINE_SECONDS):
        answer = await reader.read()
    writer.close()
    return answer, monotonic() - began


@pytest.mark.parametrize(
    "parts",
    [[], ["POST /echo HTTP/1.1\r\nHo"], [f"{HEAD}\r\n"], [f"{HEAD}\r\nab"]],
    ids=["nothing", "half a head", "no body", "half a body"],
)
async def test_half_a_request_is_not_waited_for(port: int, parts: list[str]) -> None:
    answer, seconds = await told(port, *parts)
    assert answer == b""
    assert seconds < _DEADLINE_SECONDS / 4


async def test_a_head_that_trickles_in_gets_no_more_time(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while not reader.at_eof():
            writer.write(b"x")
            try:
                async with asyncio.timeout(SECONDS / 4):
                    await reader.read()
            except TimeoutError:
                continue
    writer.close()


async def test_a_slow_body_and_a_slow_answer_are_waited_for(port: int) -> None:
    parts = [f"{HEAD}Connection: close\r\n\r\n", *"abcd"]
    answer, _ = await told(port, *parts, pause=SECONDS / 2)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'"abcd"')
