"""Who asked the sandbox for what, and whether the answer left it.

Each process of the fleet has base addresses of its own (`/by/<number>/…`), so every request is
known to belong to it, and a killed process is known by what it left under way.
"""

import hashlib
import threading
import time
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFIX = "by"
_RECOGNITION = "/elevenlabs/v1/speech-to-text"
_WAVE_HEADER_BYTES = 8


@dataclass(slots=True)
class Exchange:
    """One request. Moments are monotonic seconds; `status` None: no answer was sent."""

    process: int
    method: str
    path: str
    began: float
    ended: float | None = None
    status: int | None = None
    sha256: str | None = None
    """Of the audio, for recognitions."""


@dataclass(slots=True)
class Journal:
    """All exchanges in order of their beginning. Safe for several threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _exchanges: list[Exchange] = field(default_factory=list)

    def enter(self, exchange: Exchange) -> None:
        with self._lock:
            self._exchanges.append(exchange)

    def under_way(self, process: int) -> list[Exchange]:
        """What a process is waiting for at this moment."""
        with self._lock:
            recent = [one for one in self._exchanges if one.process == process]
        return [one for one in recent if one.ended is None]

    def recognitions(self) -> list[Exchange]:
        """Recognitions that were carried out or may have been."""
        with self._lock:
            asked = [one for one in self._exchanges if one.sha256 is not None]
        return [one for one in asked if one.status in (200, None)]

    def crowd(self, path: str) -> list[str]:
        """Who asked for what in the second with most requests to paths that begin so."""
        with self._lock:
            asked = [one for one in self._exchanges if one.path.startswith(path)]
        seconds = [
            [other for other in asked if 0 <= other.began - first.began < 1.0] for first in asked
        ]
        busiest = max(seconds, key=len, default=[])
        return [
            f"{one.began - busiest[0].began:.2f} s process {one.process} {one.method} {one.path}"
            for one in busiest
        ]

    def lost(self, killed: dict[int, float], *, grace_seconds: float) -> set[str]:
        """Audios with a recognition whose answer never arrived or may not have been stored:
        dropped on the way, or its process was killed (`killed`: process -> moment) before
        `grace_seconds` had passed since the answer.
        """
        return {
            str(one.sha256)
            for one in self.recognitions()
            if one.status is None or _killed_soon(one, killed.get(one.process), grace_seconds)
        }


def _killed_soon(exchange: Exchange, killed: float | None, grace_seconds: float) -> bool:
    if killed is None:
        return False
    return exchange.ended is None or killed - exchange.ended < grace_seconds


def own_addresses(url: str, process: int) -> dict[str, str]:
    """Settings of a process whose requests are journalled under its number."""
    own = f"{url}/{_PREFIX}/{process}"
    return {
        "AMOCRM_BASE_URL_TEMPLATE": f"{own}/amocrm/{{subdomain}}",
        "ELEVENLABS_BASE_URL": f"{own}/elevenlabs",
        "OPENAI_BASE_URL": f"{own}/openai/v1",
    }


class Journalling:
    """ASGI middleware: takes the number out of the address and keeps the journal."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, first, *rest = scope.get("path", "/").split("/", 3)
        if scope["type"] != "http" or first != _PREFIX:
            await self._app(scope, receive, send)
            return
        number, path = rest[0], f"/{rest[1]}"
        exchange = Exchange(int(number), scope["method"], path, time.monotonic())
        self._journal.enter(exchange)
        kept = _Listener(exchange, receive, send)
        inner = {**scope, "path": path, "raw_path": path.encode()}
        try:
            await self._app(inner, kept.receive, kept.send)
        finally:
            exchange.ended = time.monotonic()


class _Listener:
    """Notes the audio that comes in and the status that goes out."""

    def __init__(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        self._exchange, self._receive, self._send = exchange, receive, send
        self._body = bytearray()

    async def receive(self) -> Message:
        message = await self._receive()
        if self._exchange.path == _RECOGNITION and message["type"] == "http.request":
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                self._exchange.sha256 = _wave_hash(bytes(self._body))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._exchange.status = message["status"]
        await self._send(message)


def _wave_hash(form: bytes) -> str:
    """The hash of the WAV file inside an uploaded form; its header tells its length."""
    start = form.index(b"RIFF")
    size = int.from_bytes(form[start + 4 : start + _WAVE_HEADER_BYTES], "little")
    return hashlib.sha256(form[start : start + _WAVE_HEADER_BYTES + size]).hexdigest()
