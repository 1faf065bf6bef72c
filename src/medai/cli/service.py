"""Long-running commands: the whole service, the API alone, workers alone."""

import asyncio
import gc
import re
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI

from medai.api.app import create_api, create_watching
from medai.api.patience import PatientProtocol
from medai.bootstrap import Application
from medai.cli.beside import BEHIND, keep_beside
from medai.cli.bot import bot_beside, has_bot_beside, webhook
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
    """API и рядом обработчики заданий и бот: малая установка."""
    with_application(serve_forever, serves=True)


def api() -> None:
    """Только HTTP API."""
    with_application(_serve, serves=True)


def worker(
    queue: Annotated[
        list[str] | None,
        typer.Option(help="очередь или очередь=число заданий сразу; можно повторять"),
    ] = None,
) -> None:
    """Только обработчики заданий."""
    guarded(lambda: parse_queues(queue or []))  # before anything is opened
    with_application(lambda application: _work(application, parse_queues(queue or [])), serves=True)


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
    """API, workers and bot until one of them ends. Raises what ended it.

    Workers have a process of their own: busy ones would keep every answer waiting, and a status is
    asked for just while there is work. So has the bot, which waits for Telegram by long polls;
    people wait for its answers as for those of the API.
    """
    settings = application.settings
    beside = [keep_beside(_work, settings, courtesy=BEHIND)]
    if has_bot_beside(application):
        beside.append(keep_beside(bot_beside, settings))
    await _together(*beside, _serve(application))


async def _work(application: Application, queues: dict[Queue, int | None] | None = None) -> None:
    """Workers, and beside them the listener of their measures if there is a port for it."""
    settings = application.settings
    port = settings.medai_worker_metrics_port
    if not port:
        await run_workers(application, queues)
        return
    api = create_watching(application)
    listener = listening(settings.medai_host, port, "MEDAI_WORKER_METRICS_PORT")
    with listener:
        await _together(run_workers(application, queues), _answer(api, settings, listener))


async def _together(*work: Coroutine[Any, Any, None]) -> None:
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


async def _serve(application: Application) -> None:
    settings = application.settings
    with listening(settings.medai_host, settings.medai_port, "MEDAI_PORT") as listener:
        async with webhook(application) as routers:
            announce(application)
            await _answer(create_api(application, routers), settings, listener)


async def _answer(api: FastAPI, settings: Settings, listener: socket.socket) -> None:
    # What is there now stays for good. Looking for garbage among it (300,000 objects) would stop
    # everything for 0.2 s every few minutes.
    gc.collect()
    gc.freeze()
    server = _Server(_config(api, settings))
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


def _config(api: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        api,
        http=PatientProtocol,
        host=settings.medai_host,
        port=settings.medai_port,
        log_config=None,  # its lines take our form
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
        if console.is_terminal:  # a journal keeps what it is given
            console.print(f"X-API-Key: {application.api_key}", soft_wrap=True)
        console.print(f"ключ создан здесь и лежит в {key_file}", soft_wrap=True)
