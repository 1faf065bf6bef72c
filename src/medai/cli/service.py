"""Long-running commands: the whole service, the API alone, workers alone."""

import re
from typing import Annotated

import typer

from medai.api.app import create_api
from medai.bootstrap import Application
from medai.cli.beside import keep_beside
from medai.cli.bot import bot_beside, has_bot_beside, webhook
from medai.cli.running import console, guarded, with_application
from medai.cli.serving import answer, listening, together, watched
from medai.errors import InvalidInputError
from medai.processing.ports import Queue
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
    asked for just while there is work. So has the bot, which waits for Telegram by long polls.
    """
    settings = application.settings
    beside = [keep_beside(_work, settings)]
    if has_bot_beside(application):
        beside.append(keep_beside(bot_beside, settings))
    await together(*beside, _serve(application))


async def _work(application: Application, queues: dict[Queue, int | None] | None = None) -> None:
    await watched(application, lambda: run_workers(application, queues))


async def _serve(application: Application) -> None:
    settings = application.settings
    with listening(settings.medai_host, settings.medai_port, "MEDAI_PORT") as listener:
        async with webhook(application) as routers:
            announce(application)
            await answer(create_api(application, routers), settings, listener)


def announce(application: Application) -> None:
    """Tell a person where the API is; the key only when it was made here."""
    settings = application.settings
    console.print(f"API: http://{settings.medai_host}:{settings.medai_port}/docs", soft_wrap=True)
    if not settings.api_key.get_secret_value():
        key_file = settings.data_dir / "keys" / "api-key"
        if console.is_terminal:  # a journal keeps what it is given
            console.print(f"X-API-Key: {application.api_key}", soft_wrap=True)
        console.print(f"ключ создан здесь и лежит в {key_file}", soft_wrap=True)
