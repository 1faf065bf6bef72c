"""The command line: one file per group of commands."""

import typer

from medai.cli import (
    clinics,
    costs,
    database,
    demo,
    exporting,
    held,
    limits,
    own_call,
    processing,
    recommending,
    sandbox,
    service,
    staff,
    stops,
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
    service, processing, own_call, exporting, costs, held, stops, recommending, clinics, limits,
    staff, database, sandbox, demo,
)  # fmt: skip
for _group in _GROUPS:
    _group.register(app)
