"""Commands about the minutes of clinics."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.errors import InvalidInputError
from medai.limits.changes import Changed
from medai.limits.periods import KINDS, Kind
from medai.limits.state import LimitState, PeriodState

limits = typer.Typer(help="Лимиты минут распознавания.", no_args_is_help=True)

Clinic = Annotated[str, typer.Option(help="client_id клиники")]
AnyClinic = Annotated[str, typer.Option("--clinic", help="client_id клиники; без него — все")]
_SECONDS_IN_MINUTE = 60
_PERIODS: dict[Kind, str] = {"month": "месяц", "week": "неделя"}


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(limits, name="limits")


@limits.command("show")
def show(clinic: AnyClinic = "") -> None:
    """Показать лимиты, расход, прогноз и предупреждения."""

    async def work(application: Application) -> None:
        rows = [state async for state in _states(application, clinic)]
        console.print(_table(rows))

    with_application(work, quiet=True)


@limits.command("set")
def set_limits(
    clinic: Clinic,
    month: Annotated[int | None, typer.Option(help="минут в месяц", min=0)] = None,
    week: Annotated[int | None, typer.Option(help="минут в неделю", min=0)] = None,
) -> None:
    """Задать лимиты минут; звонки, которые ждут минут, продолжатся сразу."""

    async def work(application: Application) -> None:
        if month is None and week is None:
            raise InvalidInputError("Укажите --month или --week: сколько минут разрешено")
        changed = await application.limit_changes.set(
            clinic, monthly_seconds=_seconds(month), weekly_seconds=_seconds(week)
        )
        _print_changed(changed)

    with_application(work, quiet=True)


@limits.command("add")
def add(
    clinic: Clinic,
    month: Annotated[int, typer.Option(help="добавить минут к месяцу", min=0)] = 0,
    week: Annotated[int, typer.Option(help="добавить минут к неделе", min=0)] = 0,
) -> None:
    """Добавить минуты к лимитам; звонки, которые ждут минут, продолжатся сразу."""

    async def work(application: Application) -> None:
        if not month and not week:
            raise InvalidInputError("Укажите --month или --week: сколько минут добавить")
        changed = await application.limit_changes.add(
            clinic,
            month_seconds=month * _SECONDS_IN_MINUTE,
            week_seconds=week * _SECONDS_IN_MINUTE,
        )
        _print_changed(changed)

    with_application(work, quiet=True)


@limits.command("reset")
def reset(
    clinic: AnyClinic = "",
    month: Annotated[bool, typer.Option("--month", help="обнулить расход месяца")] = False,
    week: Annotated[bool, typer.Option("--week", help="обнулить расход недели")] = False,
) -> None:
    """Обнулить расход; сам он обнуляется 1-го числа и по понедельникам."""

    async def work(application: Application) -> None:
        asked = {"month": month, "week": week}
        kinds = [kind for kind in KINDS if asked[kind]]
        if not kinds:
            raise InvalidInputError("Укажите --month или --week: что обнулить")
        async for state in _states(application, clinic):
            _print_changed(await application.limit_changes.reset(state.client_id, *kinds))

    with_application(work, quiet=True)


async def _states(application: Application, client_id: str) -> AsyncIterator[LimitState]:
    if client_id:
        yield await application.limits.state(client_id)
        return
    async for state in application.limits.states():
        yield state


def _table(states: list[LimitState]) -> Table:
    table = Table("Клиника", "Период", box=None, pad_edge=False)
    for head in ("Лимит", "Израсходовано", "В резерве", "Осталось", "%"):
        table.add_column(head, justify="right", overflow="fold")
    table.add_column("Хватит до", overflow="fold")
    table.add_column("Предупреждения", overflow="fold")
    for state in states:
        for period in (state.month, state.week):
            table.add_row(escape(state.clinic_name), _PERIODS[period.kind], *_cells(state, period))
    return table


def _cells(state: LimitState, period: PeriodState) -> list[str]:
    amounts = (period.used_seconds, period.held_seconds, period.left_seconds)
    return [
        _minutes(period.limit_seconds),
        *(_minutes(seconds) for seconds in amounts),
        f"{period.percent:.0f}",
        _end(period.runs_out_at, state.tz) if period.left_seconds > 0 else "исчерпано",
        ", ".join(f"{each.percent} %" for each in period.warnings) or "нет",
    ]


def _end(moment: datetime | None, tz: ZoneInfo) -> str:
    return "конца периода" if moment is None else f"{moment.astimezone(tz):%d.%m.%Y %H:%M}"


def _print_changed(changed: Changed) -> None:
    state = changed.state
    parts = [
        f"{_PERIODS[p.kind]} {_minutes(p.used_seconds)} из {_minutes(p.limit_seconds)} мин"
        for p in (state.month, state.week)
    ]
    line = f"{state.clinic_name}: {', '.join(parts)}; продолжат ждавшие звонки: {changed.woken}"
    console.print(line, soft_wrap=True, markup=False)


def _seconds(minutes: int | None) -> int | None:
    return None if minutes is None else minutes * _SECONDS_IN_MINUTE


def _minutes(seconds: int) -> str:
    return f"{seconds / _SECONDS_IN_MINUTE:.1f}".removesuffix(".0").replace(".", ",")
