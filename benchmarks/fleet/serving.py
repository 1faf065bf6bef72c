"""Server processes and many readers of them, cheap enough not to be what is measured."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_SOURCES = Path(__file__).resolve().parents[2] / "src"
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_BUFFER_BYTES = 4 * 1024 * 1024


@contextmanager
def served(arguments: Sequence[str], environment: dict[str, str], ready: str) -> Iterator[int]:
    """A Python process with these arguments, from when `ready` answers 200; its process id."""
    with tempfile.TemporaryDirectory() as elsewhere:  # so that no .env of the developer is read
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, *arguments],
            env={"PYTHONPATH": str(_SOURCES), "PATH": os.environ["PATH"], **environment},
            cwd=elsewhere,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(process, ready)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", ready: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(ready, timeout=1):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(_LOOK_SECONDS)
    raise RuntimeError("the server did not start: see its errors above")


@dataclass(slots=True)
class Readings:
    """What readers saw: milliseconds of each answer, bytes of the last one, whole seconds."""

    milliseconds: list[float] = field(default_factory=list)
    size: int = 0
    seconds: float = 0.0

    def join(self, other: "Readings") -> None:
        """Add another round of the same readers."""
        self.milliseconds += other.milliseconds
        self.size = other.size
        self.seconds += other.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds within which so many of the answers came whole."""
        ordered = sorted(self.milliseconds)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))], 1)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return round(len(self.milliseconds) / self.seconds, 1)


async def read_for(seconds: float, port: int, targets: Sequence[str], key: str) -> Readings:
    """One reader for each target, asking again as soon as it has its answer."""
    found, began = Readings(), time.perf_counter()
    ends = began + seconds
    await asyncio.gather(*(_reader(port, target, key, ends, found) for target in targets))
    found.seconds = time.perf_counter() - began
    return found


async def _reader(port: int, target: str, key: str, ends: float, found: Readings) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_BUFFER_BYTES)
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n\r\n".encode()
    try:
        while True:
            began = time.perf_counter()
            writer.write(request)
            found.size = len(await _answer(reader))
            found.milliseconds.append((time.perf_counter() - began) * 1000)
            if time.perf_counter() >= ends:
                return
    finally:
        writer.close()


async def read_every(
    seconds: float, port: int, target: str, key: str, ended: asyncio.Event
) -> Readings:
    """One reader that asks in this rhythm until `ended`; a late answer delays the next question."""
    found, began = Readings(), time.perf_counter()
    while not ended.is_set():
        found.join(await read_for(0, port, [target], key))
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), seconds)
    found.seconds = time.perf_counter() - began
    return found


async def fetch(port: int, target: str, key: str) -> bytes:
    """One body. Raises RuntimeError for any status but 200."""
    return await _asked("GET", port, target, key, b"")


async def post(port: int, target: str, key: str, body: bytes = b"") -> bytes:
    """One body. Raises RuntimeError for any status but 200."""
    return await _asked("POST", port, target, key, body)


async def _asked(method: str, port: int, target: str, key: str, body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_BUFFER_BYTES)
    try:
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        return await _answer(reader)
    finally:
        writer.close()


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    if head[0].split()[1] != "200":
        raise RuntimeError(f"the server answered {head[0]}")
    (length,) = (line.partition(":")[2] for line in head if line.startswith("content-length:"))
    return await reader.readexactly(int(length))
