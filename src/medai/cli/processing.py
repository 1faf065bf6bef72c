"""Commands that move calls: sync, transcribe, analyze, or the whole way."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from medai.bootstrap import Application
from medai.cli.running import IncompleteError, console, with_application
from medai.cli.working import work_until_settled
from medai.crm.sync import SyncResult
from medai.kit.days import DayRange, business_day, parse_range, zone
from medai.processing import requests
from medai.processing.person_requests import Asked
from medai.processing.runs import Phase, RunKind
from medai.processing.syncs import statistics

Clinic = Annotated[str, typer.Option("--clinic", help="client_id клиники")]
First = Annotated[str, typer.Option("--from", help="первый день: ДД.ММ.ГГГГ или ГГГГ-ММ-ДД")]
Last = Annotated[str, typer.Option("--to", help="последний день; без него — один день")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sync")(sync)
    app.command("transcribe")(transcribe)
    app.command("analyze")(analyze)
    app.command("process")(process)


def sync(clinic: Clinic, first: First = "", last: Last = "") -> None:
    """Забрать звонки клиники из amoCRM."""

    async def work(application: Application) -> None:
        days = await _days(application, clinic, first, last)
        counted = statistics(await synced(application, clinic, days))
        for name, count in counted.items():
            console.print(f"{_SYNC_WORDS[name]}: {count}")

    with_application(work, quiet=True)


def transcribe(clinic: Clinic, first: First = "", last: Last = "") -> None:
    """Расшифровать звонки за дни и записать расшифровки в amoCRM."""
    _ask(clinic, first, last, lambda app, days: app.asked.transcription(clinic, *_texts(days)))


def analyze(clinic: Clinic, first: First = "", last: Last = "") -> None:
    """Оценить расшифрованные звонки за дни."""
    _ask(clinic, first, last, lambda app, days: app.asked.analysis(clinic, *_texts(days)))


def process(clinic: Clinic, first: First = "", last: Last = "") -> None:
    """Весь путь: звонки из CRM, расшифровка, оценка, метрики в PostgreSQL."""

    async def work(application: Application) -> None:
        days = await _days(application, clinic, first, last)
        progress, rows = await whole_way(application, clinic, days)
        for table, count in rows.items():
            console.print(f"{table}: строк записано {count}")
        check_complete(progress)

    with_application(work, quiet=True)


async def whole_way(
    application: Application, client_id: str, days: DayRange
) -> tuple[requests.Progress, dict[str, int]]:
    """Calls from the CRM, every step, metrics; returns what is left and the rows written."""
    await synced(application, client_id, days)
    asked = await application.asked.everything(client_id, *_texts(days))
    progress = await watched(application, [client_id], days)
    await application.run_book.look(asked.run_id)
    return progress, await application.exports.export(client_id)


async def synced(application: Application, client_id: str, days: DayRange) -> SyncResult:
    """The days from the CRM, now and as a run. Raises the ProviderError family."""
    await application.clinics.require(client_id)
    await application.stops.try_soon(client_id)
    run = await application.runs.start(client_id, RunKind.SYNC, *_texts(days), phase=Phase.DIRECT)
    return await application.syncs.run(client_id, days, run_id=run.id)


async def watched(
    application: Application, client_ids: list[str], days: DayRange
) -> requests.Progress:
    """Work with a progress bar until nothing more can be done now."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=40), MofNCompleteColumn())
    with Progress(*columns, console=console) as bars:
        stages = {
            name: bars.add_task(text, total=None)
            for name, text in (
                ("transcribed", "расшифровка"),
                ("noted", "заметки в CRM"),
                ("analysed", "оценка"),
            )
        }

        def report(progress: requests.Progress) -> None:
            for name, task in stages.items():
                bars.update(task, completed=getattr(progress, name), total=progress.recorded)

        return await work_until_settled(application, client_ids, days, report)


def check_complete(progress: requests.Progress) -> None:
    """Say what waits and what failed. Raises IncompleteError when anything does."""
    for message, count in progress.waiting.items():
        console.print(f"ждут: {count} — {message}")
    for message, count in progress.failed.items():
        console.print(f"не обработаны: {count} — {message}")
    waiting, failed = progress.waiting.total(), progress.failed.total()
    if waiting or failed:
        ((reason, _),) = (progress.waiting + progress.failed).most_common(1)
        raise IncompleteError(f"Готово не всё (ждут {waiting}, не обработаны {failed}): {reason}")


def _ask(
    clinic: str,
    first: str,
    last: str,
    request: Callable[[Application, DayRange], Awaitable[Asked]],
) -> None:
    async def work(application: Application) -> None:
        days = await _days(application, clinic, first, last)
        asked = await request(application, days)
        console.print(f"найдено звонков: {asked.found}, в работе: {asked.queued}")
        progress = await watched(application, [clinic], days)
        await application.run_book.look(asked.run_id)
        check_complete(progress)

    with_application(work, quiet=True)


async def _days(application: Application, clinic: str, first: str, last: str) -> DayRange:
    """The asked days; today in the clinic's zone when none are given."""
    known = await application.clinics.require(clinic)
    if not first:
        today = business_day(_now(application), zone(known.timezone))
        return DayRange(today, today)
    return parse_range(first, last or first)


def _texts(days: DayRange) -> tuple[str, str]:
    return days.first.isoformat(), days.last.isoformat()


def _now(application: Application) -> datetime:
    return application.clock()


_SYNC_WORDS = {
    "total_found": "найдено звонков",
    "total_processed": "обработано",
    "saved_to_db": "новых сохранено",
    "filtered_zero_duration": "пропущено без разговора",
    "filtered_short_calls": "пропущено коротких (1-5 с)",
    "filtered_duplicates": "уже известны или повторы",
    "filtered_note_links": "пропущено: ссылка не на запись",
    "processing_errors": "заметка звонка ещё не видна в CRM",
}
