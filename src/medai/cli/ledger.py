"""Commands about money: what was spent, and what waits for a person's decision."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.kit.days import parse_range, zone
from medai.ledger.costs import Grouping, Money, Period, Sums, together
from medai.ledger.models import Decision, EffectKind
from medai.processing.held import HeldItem

DECIDED_BY_CLI = "cli"
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60
_CENT = Decimal("0.0001")
_KINDS = {EffectKind.RECOGNITION: "распознавание", EffectKind.CRM_NOTE: "заметка в CRM"}
_REASONS = {
    "answer_lost": "ответ не пришёл",
    "provider_answer": "ответ не читается",
    "abandoned": "процесс прервался, не дождавшись ответа",
}

held = typer.Typer(
    help="Работы, ответ на которые потерян: повтор может стоить денег, решает человек.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("costs")(costs)
    app.add_typer(held, name="held")


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
        table = Table("дни", "STT, мин", "STT, деньги", "LLM, токены", "LLM, деньги", "заметки",
                      "ответ потерян")  # fmt: skip
        for period in report.periods:
            table.add_row(_days(period), *_cells(period))
        table.add_section()
        table.add_row("итого", *_cells(report.total))
        console.print(table)

    with_application(work, quiet=True)


@held.command("list")
def show(
    clinic: Annotated[str, typer.Option(help="client_id клиники; без него — все")] = "",
) -> None:
    """Показать, что ждёт решения."""

    async def work(application: Application) -> None:
        items = await application.held.items(clinic or None)
        if not items:
            console.print("решений ничего не ждёт")
            return
        names = {one.client_id: one.name async for one in application.clinics.all()}
        for item in items:
            age = application.clock() - item.since
            line = _line(item, names.get(item.client_id, item.client_id), age)
            console.print(line, soft_wrap=True, markup=False)  # numbers are copied: never folded

    with_application(work, quiet=True)


@held.command("repeat")
def repeat(item: Annotated[str, typer.Argument(help="номер из medai held list")]) -> None:
    """Разрешить ещё один запрос: он может быть оплачен второй раз."""
    _decide(item, Decision.REPEAT, "Повтор разрешён, звонок продолжится сам")


@held.command("drop")
def drop(item: Annotated[str, typer.Argument(help="номер из medai held list")]) -> None:
    """Не повторять: звонок закончится с понятной причиной."""
    _decide(item, Decision.GIVE_UP, "Повтора не будет, причина записана в звонок")


def _decide(item: str, decision: Decision, said: str) -> None:
    async def work(application: Application) -> None:
        await application.held.decide(item, decision, by=DECIDED_BY_CLI)
        console.print(said)

    with_application(work, quiet=True)


def _days(period: Period) -> str:
    whole = f"{period.first:%d.%m.%Y}"
    return whole if period.first == period.last else f"{whole}-{period.last:%d.%m.%Y}"


def _cells(period: Period) -> tuple[str, ...]:
    speech, model = period.kinds[EffectKind.RECOGNITION], period.kinds[EffectKind.LANGUAGE_MODEL]
    return (
        f"{speech.seconds / _SECONDS_PER_MINUTE:.1f}",
        _money(speech.cost),
        str(model.input_tokens + model.output_tokens),
        _money(model.cost),
        str(period.kinds[EffectKind.CRM_NOTE].done),
        _doubts(period.kinds.values()),
    )


def _doubts(kinds: Iterable[Sums]) -> str:
    """Requests that may be billed beside the sums, and for how much."""
    found = list(kinds)
    lost = sum(sums.unknown for sums in found)
    at_stake = together(*(sums.at_stake for sums in found))
    return f"{lost} (до {_money(at_stake)})" if lost and at_stake else str(lost)


def _money(amounts: Money) -> str:
    if not amounts:
        return "0"
    return " + ".join(f"{amount.quantize(_CENT)} {name}" for name, amount in amounts.items())


def _line(item: HeldItem, clinic: str, age: timedelta) -> str:
    minutes = int(age.total_seconds()) // _SECONDS_PER_MINUTE
    waits = f"ждёт {minutes // _MINUTES_PER_HOUR} ч {minutes % _MINUTES_PER_HOUR} мин"
    price = _money({item.currency: item.cost}) if item.cost else "0"
    return (
        f"{item.id}  {_KINDS[item.kind]}, {clinic}, звонок {item.call_id}, {waits},"
        f" повтор стоит {price}; {_REASONS.get(item.reason, item.reason)}"
    )
