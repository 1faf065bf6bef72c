"""Commands about work whose paid answer was lost: what waits, and a person's decision."""

from datetime import timedelta
from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.costs import money_text
from medai.cli.running import console, with_application
from medai.ledger.models import Decision, EffectKind
from medai.processing.held import HeldItem

DECIDED_BY_CLI = "cli"
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60
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
    """Add the group."""
    app.add_typer(held, name="held")


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


def _line(item: HeldItem, clinic: str, age: timedelta) -> str:
    minutes = int(age.total_seconds()) // _SECONDS_PER_MINUTE
    waits = f"ждёт {minutes // _MINUTES_PER_HOUR} ч {minutes % _MINUTES_PER_HOUR} мин"
    price = money_text({item.currency: item.cost}) if item.cost else "0"
    return (
        f"{item.id}  {_KINDS[item.kind]}, {clinic}, звонок {item.call_id}, {waits},"
        f" повтор стоит {price}; {_REASONS.get(item.reason, item.reason)}"
    )
