"""Commands about providers that stand still."""

import typer

from medai.bootstrap import Application
from medai.cli.running import console, with_application
from medai.kit.days import zone
from medai.processing.stops import Stop

stops = typer.Typer(
    help="Остановки: сервис отказал (ключ, оплата, доступ), звонки ждут.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(stops, name="stops")


@stops.command("list")
def show() -> None:
    """Показать, что остановлено и почему."""
    with_application(_show, quiet=True)


@stops.command("try")
def try_now() -> None:
    """Попробовать сейчас: работающая служба сделает это одним звонком на каждую остановку."""

    async def work(application: Application) -> None:
        await application.stops.try_soon()
        woken = await application.sweeps.try_stopped()
        console.print(f"звонков пробуют: {woken}")

    with_application(work, quiet=True)


async def _show(application: Application) -> None:
    clinics = {clinic.client_id: clinic async for clinic in application.clinics.all()}
    found = [stop async for stop in application.stops.standing()]
    if not found:
        console.print("остановок нет")
    for stop in found:
        clinic = clinics.get(stop.client_id or "")
        whose = clinic.name if clinic else "все клиники"
        tz = clinic.timezone if clinic else "Europe/Moscow"
        console.print(_line(stop, whose, tz), soft_wrap=True, markup=False)


def _line(stop: Stop, whose: str, tz: str) -> str:
    since, trial = (f"{one.astimezone(zone(tz)):%d.%m %H:%M}" for one in
                    (stop.since, stop.next_trial_at))  # fmt: skip
    return f"{stop.provider} ({whose}): {stop.message}; с {since}, попытка в {trial}"
