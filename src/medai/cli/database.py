"""Commands about the stores."""

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application

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
