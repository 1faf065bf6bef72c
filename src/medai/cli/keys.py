"""Commands about keys of the API."""

from typing import Annotated

import typer

from medai.access.models import ApiKey
from medai.bootstrap import Application
from medai.cli.running import console, with_application

CREATED_BY_CLI = "cli"

keys = typer.Typer(
    help="Ключи API: у каждого своё имя, свои клиники, чтение или запись.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(keys, name="keys")


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="кому ключ: виден в журнале доступа")],
    clinic: Annotated[
        list[str] | None, typer.Option(help="client_id клиники, можно несколько; без него — все")
    ] = None,
    write: Annotated[bool, typer.Option(help="не только читать, но и запускать работу")] = False,
) -> None:
    """Выдать ключ: его текст показывается один раз."""

    async def work(application: Application) -> None:
        made = application.keys.create(name, clinic or None, may_write=write, by=CREATED_BY_CLI)
        key, text = await made
        console.print(f"ключ {key.id}: {_scope(key)}", soft_wrap=True, markup=False)
        console.print(text, soft_wrap=True, markup=False)
        console.print("сохраните его сейчас: второй раз он не показывается")

    with_application(work, quiet=True)


@keys.command("list")
def show() -> None:
    """Показать выданные ключи."""

    async def work(application: Application) -> None:
        found = [key async for key in application.keys.all()]
        if not found:
            console.print("выданных ключей нет, есть только ключ владельца (API_KEY)")
        for key in found:
            state = f"отозван {key.revoked_at:%d.%m.%Y}" if key.revoked_at else "действует"
            line = f"{key.id}  {key.name}: {_scope(key)}; {state}"
            console.print(line, soft_wrap=True, markup=False)

    with_application(work, quiet=True)


@keys.command("revoke")
def revoke(key: Annotated[str, typer.Argument(help="номер из medai keys list")]) -> None:
    """Отозвать ключ: он сразу перестаёт открывать что-либо."""

    async def work(application: Application) -> None:
        await application.keys.revoke(key)
        console.print("ключ отозван")

    with_application(work, quiet=True)


def _scope(key: ApiKey) -> str:
    clinics = "все клиники" if key.client_ids is None else ", ".join(key.client_ids)
    return f"{clinics}; {'чтение и запись' if key.may_write else 'только чтение'}"
