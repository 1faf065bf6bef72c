"""The command line: one file per group of commands."""

from typing import Annotated

import typer

from medai import __version__
from medai.cli import (
    bot,
    clinics,
    costs,
    daily,
    database,
    demo,
    description,
    doctor,
    exporting,
    held,
    keys,
    limits,
    members,
    moving,
    own_call,
    processing,
    recommending,
    runs,
    sandbox,
    service,
    staff,
    stops,
    store_tools,
)

app = typer.Typer(
    name="medai",
    help="MedAI: звонки клиники превращаются в расшифровки, доказанные оценки и отчёты.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_GROUPS = (
    service, bot, description, processing, daily, own_call, exporting, runs, costs, held, stops,
    recommending, clinics, keys, members, limits, staff, database, store_tools, moving, doctor,
    sandbox, demo,
)  # fmt: skip
for _group in _GROUPS:
    _group.register(app)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"medai {__version__}")
        raise typer.Exit


@app.callback()
def medai(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="показать версию и выйти"
        ),
    ] = False,
) -> None:
    """MedAI: звонки клиники превращаются в расшифровки, доказанные оценки и отчёты."""
