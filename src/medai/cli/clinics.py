"""Commands about clinics."""

from enum import StrEnum
from typing import Annotated

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.clinics.settings import LONGEST_WINDOW_DAYS
from medai.crm.registration import ClinicDetails
from medai.errors import InvalidInputError

clinics = typer.Typer(help="Клиники: подключение и список.", no_args_is_help=True)


class NotApplicable(StrEnum):
    """What a criterion that does not apply counts as in the overall score."""

    ZERO = "zero"
    SKIP = "skip"


class Attribution(StrEnum):
    """How the administrator of a call is found."""

    AMOCRM = "amocrm"
    AI_SCHEDULE = "ai_schedule"


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(clinics, name="clinics")


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
    timezone: Annotated[
        str | None, typer.Option(help="часовой пояс; без него у новой клиники Europe/Moscow")
    ] = None,
    attribution: Annotated[
        str | None, typer.Option(help="amocrm или ai_schedule; без него у новой клиники amocrm")
    ] = None,
) -> None:
    """Подключить клинику или переподключить её с новым кодом."""

    async def work(application: Application) -> None:
        if not auth_code and not token:
            raise InvalidInputError("Укажите --auth-code или --token из настроек интеграции amoCRM")
        done = await application.crm_access.connect(
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
        console.print(f"цели конверсии {config};")
        console.print(f"часовой пояс {done.clinic.timezone} (другой задаёт --timezone)")

    with_application(work, quiet=True)


@clinics.command("list")
def show() -> None:
    """Показать клиники."""

    async def work(application: Application) -> None:
        async for clinic in application.clinics.all():
            account = clinic.subdomain or "без amoCRM"
            mode = "обрабатывается сама" if clinic.automatic_processing else "только сбор звонков"
            line = f"{clinic.client_id}  {account}  {clinic.timezone}  {mode}  {clinic.name}"
            console.print(line, soft_wrap=True, markup=False)

    with_application(work, quiet=True)


@clinics.command("set")
def change(
    clinic: Annotated[str, typer.Option(help="client_id клиники")],
    window_days: Annotated[
        int | None,
        typer.Option(
            help="дней после звонка, когда запись ещё засчитывается ему",
            min=0,
            max=LONGEST_WINDOW_DAYS,
        ),
    ] = None,
    not_applicable: Annotated[
        NotApplicable | None,
        typer.Option(help="критерии «не применимо» в общей оценке: ноль или не считать"),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="часовой пояс")] = None,
    attribution: Annotated[
        Attribution | None, typer.Option(help="как определять администратора")
    ] = None,
) -> None:
    """Изменить настройки клиники; для новых звонков и оценок."""
    asked = {
        "conversion_window_days": window_days,
        "count_not_applicable_as_zero": not_applicable and not_applicable is NotApplicable.ZERO,
        "timezone": timezone,
        "admin_detection_method": attribution and attribution.value,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}

    async def work(application: Application) -> None:
        if not wanted:
            raise InvalidInputError("Укажите, что изменить: medai clinics set --help")
        changed = await application.setting_changes.change(clinic, wanted)
        names = ", ".join(f"{name} = {value}" for name, value in changed.items())
        console.print(f"Сохранено: {names}" if changed else "Изменений нет", soft_wrap=True)

    with_application(work, quiet=True)


@clinics.command("automatic")
def automatic(
    clinic: Annotated[str, typer.Option(help="client_id клиники")],
    on: Annotated[bool, typer.Option("--on/--off", help="расшифровывать и оценивать новые звонки")],
) -> None:
    """Включить или выключить обработку новых звонков по расписанию."""

    async def work(application: Application) -> None:
        await application.setting_changes.change(clinic, {"automatic_processing": on})
        name = (await application.clinics.require(clinic)).name
        word = "обрабатываются сами" if on else "только собираются"
        console.print(f"Новые звонки клиники «{name}» {word}", soft_wrap=True, markup=False)

    with_application(work, quiet=True)
