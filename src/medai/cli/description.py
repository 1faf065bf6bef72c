"""`medai openapi`: the description of the API without a running service."""

import json

import typer

from medai.api.app import described


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("openapi")(openapi)


def openapi() -> None:
    """Напечатать описание API (OpenAPI, JSON)."""
    typer.echo(json.dumps(described(), ensure_ascii=False, indent=2))
