"""The command about money spent: minutes, tokens, notes."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.kit.days import parse_range, zone
from medai.ledger.costs import CostReport, Grouping, Money, Period, Sums, together
from medai.ledger.models import EffectKind

_SECONDS_PER_MINUTE = 60
_SHOWN = Decimal("0.0001")
_HEADINGS = ("дни", "речь, мин", "речь", "токены", "модель", "заметки")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("costs")(costs)


def costs(
    clinic: Annotated[str, typer.Option(help="client_id клиники")],
    first: Annotated[str, typer.Option("--from", help="первый день")],
    last: Annotated[str, typer.Option("--to", help="последний день")] = "",
    monthly: Annotated[bool, typer.Option(help="по месяцам, а не по дням")] = False,
) -> None:
    """Показать расходы клиники: минуты, токены, деньги, заметки."""

    async def work(application: Application) -> None:
        known = await application.clinics.require(clinic)
        days = parse_range(first, last or first)
        grouping = Grouping.MONTH if monthly else Grouping.DAY
        report = await application.ledger.costs(clinic, days, zone(known.timezone), grouping)
        console.print(_table(report))
        if lost := _lost(report.total.kinds.values()):
            console.print(lost)

    with_application(work, quiet=True)


def _table(report: CostReport) -> Table:
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    total = ("итого", *_cells(report.total))
    for heading, footer in zip(_HEADINGS, total, strict=True):
        table.add_column(heading, footer, justify="right", no_wrap=True)
    for period in report.periods:
        table.add_row(_days(period), *_cells(period))
    return table


def _days(period: Period) -> str:
    last = f"{period.last:%d.%m.%Y}"
    return last if period.first == period.last else f"{period.first:%d.%m}-{last}"


def _cells(period: Period) -> tuple[str, ...]:
    speech, model = period.kinds[EffectKind.RECOGNITION], period.kinds[EffectKind.LANGUAGE_MODEL]
    return (
        f"{speech.seconds / _SECONDS_PER_MINUTE:.1f}",
        money_text(speech.cost),
        str(model.input_tokens + model.output_tokens),
        money_text(model.cost),
        str(period.kinds[EffectKind.CRM_NOTE].done),
    )


def _lost(kinds: Iterable[Sums]) -> str:
    """Requests that may be billed beside the sums; empty when there are none."""
    found = list(kinds)
    lost = sum(sums.unknown for sums in found)
    at_stake = money_text(together(*(sums.at_stake for sums in found)))
    return f"Ответ потерян: {lost}; возможно оплачено ещё {at_stake}" if lost else ""


def money_text(amounts: Money) -> str:
    """Amounts to a hundredth of a cent, "0" for nothing."""
    if not amounts:
        return "0"
    return " + ".join(f"{amount.quantize(_SHOWN)} {name}" for name, amount in amounts.items())
