"""The command that draws conclusions from a week or a month of calls."""

from datetime import date
from typing import Annotated

import typer

from medai.analysis.recommendations.models import Conclusions
from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.errors import InvalidInputError
from medai.kit.days import parse_range


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recommend")(recommend)


def recommend(
    clinic: Annotated[str, typer.Option(help="client_id клиники")],
    first: Annotated[str, typer.Option("--from", help="первый день периода")] = "",
    last: Annotated[str, typer.Option("--to", help="последний день")] = "",
    month: Annotated[str, typer.Option(help="месяц ГГГГ-ММ: выводы из его недель")] = "",
    refresh: Annotated[bool, typer.Option("--refresh", help="заново, не из памяти")] = False,
) -> None:
    """Выводы и рекомендации за период из оценок его звонков, или за месяц из его недель."""

    async def work(application: Application) -> None:
        if bool(first) == bool(month):
            raise InvalidInputError("Укажите либо --from и --to, либо --month")
        await application.clinics.require(clinic)
        found = await _concluded(application)
        console.print(_shown(found), soft_wrap=True, markup=False)

    async def _concluded(application: Application) -> Conclusions:
        service = application.recommendations
        if month:
            begins = _month(month)
            return await service.monthly(clinic, begins.year, begins.month, force_refresh=refresh)
        days = parse_range(first, last or first)
        return await service.weekly(clinic, days.first, days.last, force_refresh=refresh)

    with_application(work, quiet=True)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text.strip()}-01")
    except ValueError as error:
        raise InvalidInputError(
            f"Неверный месяц «{text.strip()[:20]}»: укажите ГГГГ-ММ, например 2026-11"
        ) from error


def _shown(found: Conclusions) -> str:
    points = [f"{number}. {point}" for number, point in enumerate(found.summary_points, start=1)]
    return "\n".join([*points, *([""] if points else []), found.overall_summary])
