"""Answering over HTTP, alone or beside other work of the process."""

import asyncio
import gc
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from medai.api.app import create_watching
from medai.api.patience import PatientProtocol
from medai.bootstrap import Application
from medai.errors import SettingsError
from medai.settings import Settings

DRAIN_SECONDS = 30
"""How long answers under way may take once we are told to end. docker-compose.yml and the systemd
units kill what has not ended in 45."""


async def watched(application: Application, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do the work of a process without the API; its measures and health have a port if one is set.

    Raises what ended the work, SettingsError for a port that is taken.
    """
    settings = application.settings
    port = settings.medai_worker_metrics_port
    if not port:
        await work()
        return
    with listening(settings.medai_host, port, "MEDAI_WORKER_METRICS_PORT") as listener:
        await together(work(), answer(create_watching(application), settings, listener))


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """All of them until one ends. Raises what ended it."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for ended in tasks:
            if ended.done():
                await ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def answer(
    api: FastAPI, settings: Settings, listener: socket.socket, *, drain_seconds: int = DRAIN_SECONDS
) -> None:
    """Serve on the bound port until cancelled; answers under way may end for `drain_seconds`."""
    # What is there now stays for good. Looking for garbage among it (300,000 objects) would stop
    # everything for 0.2 s every few minutes.
    gc.collect()
    gc.freeze()
    server = _Server(_config(api, settings, drain_seconds))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


def listening(host: str, port: int, setting: str) -> socket.socket:
    """The port, bound here so that a taken one is told in our words. Raises SettingsError."""
    address = (host, port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(address, family=family)
    except OSError as error:
        raise SettingsError(
            f"Порт {port} на {host} занят или недоступен:"
            f" освободите его или смените {setting} и MEDAI_HOST"
        ) from error
    # Connections inherit it. asyncio asks for it only on sockets that name their protocol:
    # without it head and body of an answer are sent 40 ms apart (delayed acknowledgement).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again before our stores are closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(api: FastAPI, settings: Settings, drain_seconds: int) -> uvicorn.Config:
    return uvicorn.Config(
        api,
        http=PatientProtocol,
        host=settings.medai_host,
        port=settings.medai_port,
        log_config=None,  # its lines take our form
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=drain_seconds,
    )
