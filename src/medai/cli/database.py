"""Commands about the stores."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict

from medai.bootstrap import Application
from medai.bootstrap.upgrading import (
    UpgradeOrder,
    forget_archives,
    upgrade_report,
    upgrade_stores,
)
from medai.cli.running import (
    console,
    guarded,
    read_settings,
    run_terminable,
    with_application,
)
from medai.cli.upgrading import upgrade_lines
from medai.datalens.reader_role import make_reader
from medai.infra.logging import configure_from
from medai.infra.postgres import dsn_of
from medai.kit.days import zone
from medai.migration.report import Report

_PASSWORD_BYTES = 24

db = typer.Typer(help="Хранилища.", no_args_is_help=True)


@db.callback()
def group() -> None:
    """Хранилища службы."""


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(db, name="db")


@db.command("upgrade")
def upgrade(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="только рассказать, ничего не меняя")
    ] = False,
    old_files: Annotated[
        Path | None,
        typer.Option(help="прежняя app/data; без неё — MEDAI_DATA_DIR, если файлы там"),
    ] = None,
    timezone: Annotated[str, typer.Option(help="часовой пояс прежних клиник")] = "Europe/Moscow",
) -> None:
    """Обновить хранилища: восстановленную базу прежней системы, её файлы, таблицы и индексы.

    Службу на это время остановите. Прерванное обновление продолжается той же командой; таблицы и
    индексы служба создаёт и сама при запуске.
    """
    settings = guarded(read_settings)
    configure_from(settings, level="ERROR" if settings.log_level == "INFO" else settings.log_level)

    async def documents() -> Report:
        order = UpgradeOrder(old_files, zone(timezone))
        return await (upgrade_report if dry_run else upgrade_stores)(settings, order)

    report = guarded(lambda: run_terminable(documents))
    if dry_run or not report.is_empty or report.files:
        for line in upgrade_lines(report):
            _say(line)
    if dry_run:
        return

    async def work(_application: Application) -> None:
        # Opening the application prepares every store.
        console.print("Таблицы и индексы на месте")

    with_application(work, quiet=True)


@db.command("forget-old")
def forget_old(
    yes: Annotated[bool, typer.Option("--yes", help="стереть без вопроса")] = False,
) -> None:
    """Стереть прежние документы, которые medai db upgrade оставил в коллекциях old_…

    В них лежат токены и секреты прежней системы открытым текстом. Возврата после этого нет.
    """
    settings = guarded(read_settings)
    if not yes and not typer.confirm("Стереть прежние документы навсегда?"):
        raise typer.Exit(1)
    names = guarded(lambda: run_terminable(lambda: forget_archives(settings)))
    _say(f"Стёрто: {', '.join(names)}" if names else "Прежних документов нет")


@db.command("reader")
def reader(
    role: Annotated[str, typer.Option(help="имя роли PostgreSQL")] = "datalens",
) -> None:
    """Завести роль, которая только читает показатели (для DataLens), или задать ей новый пароль.

    Пароль берётся из DATALENS_READER_PASSWORD; без неё он придумывается и показывается один раз.
    """

    async def work(application: Application) -> None:
        settings = application.settings
        given = settings.datalens_reader_password.get_secret_value()
        password = given or secrets.token_urlsafe(_PASSWORD_BYTES)
        left = await make_reader(application.pool, role, password)
        _say(f"роль {role} читает показатели" + ("" if left else " и больше ничего"))
        if left:
            _say(f"создавать могут все роли базы, и эта: {', '.join(left)} (docs/datalens.md)")
        if settings.postgres_host or settings.postgres_dsn.get_secret_value():
            _say(_address(dsn_of(application.pool)))
        else:
            _say("встроенная PostgreSQL не видна из сети: DataLens нужен сервер в POSTGRES_HOST")
        if not given:
            _say(f"пароль {password}")
            _say("сохраните его сейчас: второй раз он не показывается")

    with_application(work, quiet=True)


def _address(dsn: str) -> str:
    info = conninfo_to_dict(dsn)
    parts = {"хост": info.get("host"), "порт": info.get("port", 5432), "база": info.get("dbname")}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False)
