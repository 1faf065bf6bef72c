"""Commands about administrators and their shifts."""

from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application, yesterday
from medai.kit.days import parse_day, parse_range

staff = typer.Typer(help="Администраторы и смены.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(staff, name="staff")


@staff.command("shift")
def shift(
    clinic: Annotated[str, typer.Option(help="client_id клиники")],
    day: Annotated[str, typer.Option(help="день смены")],
    first_name: Annotated[str, typer.Option(help="имя")],
    last_name: Annotated[str, typer.Option(help="фамилия")] = "",
) -> None:
    """Поставить администратора в график на день."""

    async def work(application: Application) -> None:
        done = await application.shift_changes.add(clinic, [parse_day(day)], first_name, last_name)
        console.print("Смена добавлена" if done.shifts else "Такая смена уже есть")
        if done.run_id:
            console.print(f"Администраторы звонков этого дня определятся заново: {done.run_id}")

    with_application(work, quiet=True)


@staff.command("recalculate")
def recalculate(
    day: Annotated[str, typer.Argument(help="день; без него — вчера")] = "",
    clinic: Annotated[
        str, typer.Option("--clinic", "--client-id", help="client_id клиники; без него — все")
    ] = "",
    date: Annotated[str, typer.Option("--date", help="день, как в старом скрипте")] = "",
    unknown: Annotated[bool, typer.Option("--unknown", help="только неизвестные")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="ничего не записывать")] = False,
) -> None:
    """Определить администраторов заново: после исправления графика смен."""

    async def work(application: Application) -> None:
        asked = day or date or yesterday().isoformat()
        found = [one async for one in application.clinics.all()]
        if clinic:
            found = [await application.clinics.require(clinic)]
        for one in found:
            looked, changed = await application.reattribution.repeat(
                one.client_id, parse_range(asked, asked), only_unknown=unknown, dry_run=dry_run
            )
            line = f"{one.name}: звонков {looked}, администратор изменился: {changed}"
            console.print(line, soft_wrap=True, markup=False)

    with_application(work, quiet=True)


@staff.command("list")
def show(clinic: Annotated[str, typer.Option(help="client_id клиники")]) -> None:
    """Показать администраторов из amoCRM."""

    async def work(application: Application) -> None:
        await application.clinics.require(clinic)
        for person in await application.staff.administrators_of(clinic):
            console.print(person.name)

    with_application(work, quiet=True)
