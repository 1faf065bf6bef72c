"""The command line: one file per group of commands."""

import typer

from medai.cli import (
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
    own_call,
    processing,
    recommending,
    runs,
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
    service, description, processing, daily, own_call, exporting, runs, costs, held, stops,
    recommending, clinics, keys, limits, staff, database, doctor, sandbox, demo,
)  # fmt: skip
for _group in _GROUPS:
    _group.register(app)
