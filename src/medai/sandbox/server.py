"""The sandbox behind a real socket: blocking for the CLI, in a thread for tests and the demo."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn

from medai.kit.clock import Clock, utc_now
from medai.sandbox.amocrm.options import Options
from medai.sandbox.app import create_app
from medai.sandbox.connection import with_transport
from medai.sandbox.state import Audio
from medai.sandbox.world.models import World

_START_SECONDS = 15.0
_BACKLOG = 2048
_GRACE_SECONDS = 1
"""Held connections (the timeout fault, long polls) are cut when the sandbox stops."""


def serve(world: World, audio: Audio, *, host: str = "127.0.0.1", port: int = 8900) -> None:
    """Serve until interrupted."""
    app = with_transport(create_app(world, audio))
    uvicorn.Server(_config(app, host=host, port=port, log_level="warning")).run()


class SandboxServer:
    """The sandbox in a thread on a loopback port: `with SandboxServer(world, audio) as server`.

    `port` 0 takes a free one; `.url` has no slash at its end.
    """

    def __init__(
        self,
        world: World,
        audio: Audio,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock = utc_now,
        crm_limits: Options | None = None,
    ) -> None:
        self.world = world
        self.app = create_app(world, audio, clock=clock, crm_limits=crm_limits)
        self._socket = _listening(host, port)
        bound = self._socket.getsockname()
        self.url = f"http://{bound[0]}:{bound[1]}"
        self._started = threading.Event()
        self._server = _Announcing(_config(with_transport(self.app)), self._started.set)
        self._thread = threading.Thread(target=self._run, name="medai-sandbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise TimeoutError("the sandbox did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


class _Announcing(uvicorn.Server):
    """Tells another thread that requests are accepted."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then announce it."""
        await super().startup(sockets)
        self._announce()


def _listening(host: str, port: int) -> socket.socket:
    # Named TCP, so that asyncio switches Nagle off: 40 ms for each answer otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(_BACKLOG)
    return listener


def _config(app: Any, **extra: Any) -> uvicorn.Config:
    defaults: dict[str, Any] = {
        "log_level": "error",
        "access_log": False,
        "lifespan": "off",
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }
    return uvicorn.Config(app, **{**defaults, **extra})
