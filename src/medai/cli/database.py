"""Commands about the stores."""

import secrets
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.datalens.reader_role import make_reader
from medai.infra.postgres import dsn_of

_PASSWORD_BYTES = 24

db = typer.Typer(help="Хранилища.", no_args_is_help=True)


@db.callback()
def group() -> None:
    """Хранилища службы."""


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(db, name="db")


@db.command("upgrade")
def upgrade() -> None:
    """Создать недостающие таблицы и индексы; служба делает это и сама при запуске."""

    async def work(_application: Application) -> None:
        # Opening the application prepares every store.
        console.print("Таблицы и индексы на месте")

    with_application(work, quiet=True)


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
