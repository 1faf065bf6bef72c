"""Commands that hand results out: metrics and reports."""

from pathlib import Path
from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.running import console, errors, with_application
from medai.errors import InvalidInputError
from medai.kit.days import DayRange, parse_range
from medai.reports.service import ReportService


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("report")(report)


def export(
    clinic: Annotated[str, typer.Option(help="client_id клиники; без него — все")] = "",
    full: Annotated[bool, typer.Option(help="переписать все дни заново")] = False,
) -> None:
    """Записать метрики изменившихся дней в PostgreSQL для DataLens."""

    async def work(application: Application) -> None:
        if clinic:
            await application.clinics.require(clinic)
        rows = await application.exports.export(
            clinic or None,
            full=full,
            waiting=lambda holder: errors.print(f"Ждём конца другой выгрузки: {holder}"),
        )
        if not rows:
            console.print("изменений нет")
        for table, count in rows.items():
            console.print(
                f"{table}: строк записано {count}" if count else f"{table}: без изменений"
            )

    with_application(work, quiet=True)


def report(
    first: Annotated[str, typer.Option("--from", help="первый день")],
    last: Annotated[str, typer.Option("--to", help="последний день")] = "",
    clinic: Annotated[str, typer.Option(help="client_id клиники; без него — все")] = "",
    out: Annotated[Path, typer.Option(help="папка для файлов")] = Path(),
    administrators: Annotated[
        bool, typer.Option("--administrators", help="PDF о каждом администраторе, с цитатами")
    ] = False,
) -> None:
    """Сделать отчёт за период: PDF и Excel. Без звонков — одна страница об этом."""

    async def work(application: Application) -> None:
        days = parse_range(first, last or first)
        for name in await _made(application.reports, clinic or None, days, administrators):
            target = out / Path(name).name
            save(target, await application.files.read(name))
            console.print(str(target), soft_wrap=True, markup=False)

    with_application(work, quiet=True)


async def _made(
    reports: ReportService, client_id: str | None, days: DayRange, administrators: bool
) -> tuple[str, ...]:
    if administrators:
        return (await reports.generate_people(client_id, days, even_empty=True),)
    made = await reports.generate(client_id, days, even_empty=True)
    return made.pdf, made.excel


def save(target: Path, content: bytes) -> None:
    """Write a file for a person. Raises InvalidInputError when the place cannot be written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise InvalidInputError(
            f"Файл {target} не записывается: проверьте папку и права"
        ) from error
