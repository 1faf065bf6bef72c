"""Long-running commands: the whole service, the API alone, workers alone."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn

from medai.api.app import create_api
from medai.bootstrap import Application
from medai.cli.running import console, guarded, with_application
from medai.errors import InvalidInputError, SettingsError
from medai.processing.ports import Queue
from medai.settings import Settings
from medai.worker.runner import run_workers


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("api")(api)
    app.command("worker")(worker)


def run() -> None:
    """API и обработчики заданий в одном процессе: малая установка."""
    with_application(serve_forever)


def api() -> None:
    """Только HTTP API."""
    with_application(_serve)


def worker(
    queue: Annotated[
        list[str] | None,
        typer.Option(help="очередь или очередь=число заданий сразу; можно повторять"),
    ] = None,
) -> None:
    """Только обработчики заданий."""
    guarded(lambda: parse_queues(queue or []))  # before anything is opened
    with_application(lambda application: run_workers(application, parse_queues(queue or [])))


def parse_queues(words: list[str]) -> dict[Queue, int | None]:
    """Queues named as "notes" or "notes=8"; none means all. Raises InvalidInputError."""
    queues: dict[Queue, int | None] = {}
    for word in words:
        name, _, count = word.partition("=")
        if name not in set(Queue) or (count and not _COUNT.fullmatch(count)):
            known = ", ".join(Queue)
            raise InvalidInputError(f"Очередь «{word[:40]}» не читается: имя=число, имена: {known}")
        queues[Queue(name)] = int(count) if count else None
    return queues


_COUNT = re.compile(r"[1-9]\d{0,2}")


async def serve_forever(application: Application) -> None:
    """API and workers until one of them ends. Raises what ended it."""
    workers = asyncio.create_task(run_workers(application))
    serving = asyncio.create_task(_serve(application))
    try:
        await asyncio.wait({workers, serving}, return_when=asyncio.FIRST_COMPLETED)
        for ended in (workers, serving):
            if ended.done():
                await ended
    finally:
        workers.cancel()
        serving.cancel()
        await asyncio.gather(workers, serving, return_exceptions=True)


async def _serve(application: Application) -> None:
    server = _Server(_config(application))
    with listening(application.settings) as listener:
        announce(application)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise


def listening(settings: Settings) -> socket.socket:
    """The port, bound here so that a taken one is told in our words. Raises SettingsError."""
    address = (settings.medai_host, settings.medai_port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server(address, family=family)
    except OSError as error:
        raise SettingsError(
            f"Порт {settings.medai_port} на {settings.medai_host} занят или недоступен:"
            " освободите его или смените MEDAI_PORT и MEDAI_HOST"
        ) from error


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again before our stores are closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(application: Application) -> uvicorn.Config:
    settings = application.settings
    return uvicorn.Config(
        create_api(application),
        host=settings.medai_host,
        port=settings.medai_port,
        log_level="warning",
        access_log=False,
        lifespan="off",
    )


def announce(application: Application) -> None:
    """Tell a person where the API is; the key only when it was made here."""
    settings = application.settings
    console.print(f"API: http://{settings.medai_host}:{settings.medai_port}/docs", soft_wrap=True)
    if not settings.api_key.get_secret_value():
        key_file = settings.data_dir / "keys" / "api-key"
        console.print(f"X-API-Key: {application.api_key}", soft_wrap=True)
        console.print(f"ключ создан здесь и лежит в {key_file}", soft_wrap=True)
