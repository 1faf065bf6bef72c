"""Commands about runs: what was asked for, how far it is, taking it back."""

from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.processing.run_book import RunView
from medai.processing.runs import Run

runs = typer.Typer(help="Запуски: что запрошено, что готово, отмена.", no_args_is_help=True)

_STATES = {
    "running": "идёт",
    "completed": "готово",
    "partial": "готово не всё",
    "failed": "не удалось",
    "cancelled": "отменён",
}
_KINDS = {
    "sync": "звонки из CRM",
    "bulk": "звонки из CRM по дням",
    "process": "весь путь с выводами",
    "transcription": "расшифровка",
    "analysis": "оценка",
    "everything": "весь путь",
    "check": "сверка с amoCRM",
    "attribution": "администраторы заново",
    "poll": "опрос за сегодня",
    "night": "ночной прогон",
    "rescan": "повторный обход",
    "links": "поздние записи",
}
RunId = Annotated[str, typer.Argument(help="номер из medai runs list")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(runs, name="runs")


@runs.command("list")
def show_all(
    clinic: Annotated[str, typer.Option(help="client_id клиники; без него — все")] = "",
    limit: Annotated[int, typer.Option(help="сколько последних", min=1, max=1000)] = 20,
) -> None:
    """Показать последние запуски, новые сверху."""

    async def work(application: Application) -> None:
        found = await application.run_book.newest(clinic or None, limit)
        for run in found:
            _print(_line(run))
        if not found:
            console.print("запусков нет")

    with_application(work, quiet=True)


@runs.command("show")
def show(run: RunId) -> None:
    """Показать запуск: сколько звонков на каком шаге."""

    async def work(application: Application) -> None:
        _print_view(await application.run_book.look(run))

    with_application(work, quiet=True)


@runs.command("cancel")
def cancel(run: RunId) -> None:
    """Отменить: начатые шаги закончатся, новые не начнутся."""

    async def work(application: Application) -> None:
        _print_view(await application.run_book.cancel(run))

    with_application(work, quiet=True)


def _print_view(view: RunView) -> None:
    progress = view.progress
    _print(_line(view.run))
    results = (
        f"расшифровано: {progress.transcribed}, заметок: {progress.noted},"
        f" оценено: {progress.analysed}"
    )
    withdrawn = view.run.statistics.get("withdrawn")
    if withdrawn is None:
        _print(f"звонков: {progress.total}, закончено: {progress.settled}, {results}")
    else:
        _print(f"звонков: {progress.total}, отозвано: {withdrawn}, {results}")
    if progress.working:
        _print(f"в работе или в очереди: {progress.working}")
    if taken_over := view.run.statistics.get("taken_over"):
        _print(f"взял более поздний запуск: {taken_over}")
    for message, count in progress.waiting.items():
        _print(f"ждут: {count} — {message}")
    for message, count in progress.failed.items():
        _print(f"не обработаны: {count} — {message}")


def _line(run: Run) -> str:
    error = f"; {run.error}" if run.error else ""
    days = run.first if run.first == run.last else f"{run.first} — {run.last}"
    return (
        f"{run.id}  {_KINDS.get(run.kind, run.kind)}, {run.client_id or 'все клиники'}, {days}:"
        f" {_STATES[run.state]}{error}"
    )


def _print(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False)  # numbers are copied: never folded
