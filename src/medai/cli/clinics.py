"""Commands about clinics and their minutes."""

from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.crm.registration import ClinicDetails
from medai.errors import InvalidInputError
from medai.kit.days import zone
from medai.limits import quota

clinics = typer.Typer(help="Клиники: подключение и список.", no_args_is_help=True)
limits = typer.Typer(help="Лимиты минут распознавания.", no_args_is_help=True)
_SECONDS_IN_MINUTE = 60
_MOST_MINUTES = 1_000_000
"""More than a call centre of twenty people can talk in a year."""


def register(app: typer.Typer) -> None:
    """Add the groups."""
    app.add_typer(clinics, name="clinics")
    app.add_typer(limits, name="limits")


@clinics.command("add")
def add(
    name: Annotated[str, typer.Option(help="название")],
    subdomain: Annotated[str, typer.Option(help="поддомен amoCRM")],
    client_id: Annotated[str, typer.Option(help="ID интеграции amoCRM")],
    client_secret: Annotated[
        str,
        typer.Option(help="секретный ключ; лучше через переменную", envvar="AMOCRM_CLIENT_SECRET"),
    ] = "",
    redirect_url: Annotated[str, typer.Option(help="адрес перенаправления")] = "",
    auth_code: Annotated[
        str, typer.Option(help="код авторизации, живёт 20 минут", envvar="AMOCRM_AUTH_CODE")
    ] = "",
    token: Annotated[
        str, typer.Option(help="долгосрочный токен вместо кода", envvar="AMOCRM_TOKEN")
    ] = "",
    timezone: Annotated[str, typer.Option(help="часовой пояс")] = "Europe/Moscow",
    attribution: Annotated[str, typer.Option(help="amocrm или ai_schedule")] = "amocrm",
) -> None:
    """Подключить клинику или переподключить её с новым кодом."""

    async def work(application: Application) -> None:
        if not auth_code and not token:
            raise InvalidInputError("Укажите --auth-code или --token из настроек интеграции amoCRM")
        done = await application.registration.register(
            ClinicDetails(
                name=name,
                subdomain=subdomain,
                client_id=client_id,
                client_secret=client_secret,
                redirect_url=redirect_url,
                auth_code=auth_code,
                token=token,
                timezone=timezone,
                attribution=attribution,
            )
        )
        word = "подключена" if done.is_new else "обновлена"
        config = "найдены" if done.clinic.conversion_config else "не найдены: задайте вручную"
        console.print(f"Клиника «{name}» {word}; администраторов: {done.administrators};")
        console.print(f"цели конверсии {config}")

    with_application(work, quiet=True)


@clinics.command("list")
def show() -> None:
    """Показать клиники."""

    async def work(application: Application) -> None:
        async for clinic in application.clinics.all():
            account = clinic.subdomain or "без amoCRM"
            line = f"{clinic.client_id}  {account}  {clinic.timezone}  {clinic.name}"
            console.print(line, soft_wrap=True, markup=False)

    with_application(work, quiet=True)


@limits.command("show")
def limits_show(clinic: Annotated[str, typer.Option(help="client_id клиники")]) -> None:
    """Показать лимиты и расход минут."""

    async def work(application: Application) -> None:
        known = await application.clinics.require(clinic)
        now = quota.at(known.limits, application.clock(), zone(known.timezone))
        _print_limit("месяц", now.month_used_seconds, now.monthly_seconds)
        _print_limit("неделя", now.week_used_seconds, now.weekly_seconds)

    with_application(work, quiet=True)


@limits.command("set")
def limits_set(
    clinic: Annotated[str, typer.Option(help="client_id клиники")],
    month: Annotated[int, typer.Option(help="минут в месяц", min=0, max=_MOST_MINUTES)],
    week: Annotated[int, typer.Option(help="минут в неделю", min=0, max=_MOST_MINUTES)],
) -> None:
    """Задать лимиты минут."""

    async def work(application: Application) -> None:
        values = {
            "monthly_seconds": month * _SECONDS_IN_MINUTE,
            "weekly_seconds": week * _SECONDS_IN_MINUTE,
        }
        await application.clinics.change(
            clinic,
            lambda stored: stored.model_copy(
                update={"limits": stored.limits.model_copy(update=values)}
            ),
        )
        console.print(f"Лимиты: {month} мин в месяц, {week} мин в неделю")

    with_application(work, quiet=True)


def _print_limit(period: str, used: int, allowed: int) -> None:
    minutes = used / _SECONDS_IN_MINUTE
    total = allowed / _SECONDS_IN_MINUTE
    console.print(f"{period}: израсходовано {minutes:.1f} из {total:.0f} мин".replace(".", ","))
