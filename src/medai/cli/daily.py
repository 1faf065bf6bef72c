"""The daily job of old cron tables: clinic after clinic, with a report (contract 10.1)."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from medai.bootstrap import Application
from medai.cli.processing import check_complete, whole_way
from medai.cli.running import IncompleteError, console, errors, guarded, with_application
from medai.clinics.models import Clinic
from medai.errors import InvalidInputError, MedaiError, SettingsError
from medai.kit.clock import utc_now
from medai.kit.days import DayRange, business_day, parse_range, week_start

_MOSCOW = ZoneInfo("Europe/Moscow")
"""The default day of the replaced script, whatever the machine's zone."""
_FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("auto-sync")(auto_sync)
    app.command("daily-sync")(daily_sync)


def auto_sync(
    day: Annotated[str, typer.Option("--date", help="день; без него — сегодня по Москве")] = "",
    first: Annotated[str, typer.Option("--start-date", help="первый день")] = "",
    last: Annotated[str, typer.Option("--end-date", help="последний день")] = "",
    clinic: Annotated[str, typer.Option("--client-id", help="одна клиника; без него — все")] = "",
    weekly: Annotated[
        bool, typer.Option("--weekly-analysis", help="выводы прошлой недели")
    ] = False,
    monthly: Annotated[
        bool, typer.Option("--monthly-analysis", help="выводы прошлого месяца")
    ] = False,
) -> None:
    """Обработать клиники по очереди, отчёт — в logs/. Код 0, если ошибок нет, иначе 1."""
    today = business_day(utc_now(), _MOSCOW)
    flags = {"weekly_analysis": weekly, "monthly_analysis": monthly}

    async def work(application: Application) -> dict[str, Any]:
        days = _asked_days(today, day, first, last)
        report = await _all_clinics(application, clinic, days, today, flags)
        # A copy for GET admin/logs: the API may run in another folder.
        application.log_files.write(_name(report), _text(report))
        return report

    report = with_application(work, quiet=True)
    path = guarded(lambda: _written(report))
    console.print(str(path), soft_wrap=True, markup=False)
    if report["clinics_with_errors"]:
        raise typer.Exit(_FAILED)


def daily_sync() -> None:
    """Вчерашний день одной клиники: её client_id в переменной CLIENT_ID."""

    async def work(application: Application) -> None:
        if not application.settings.client_id:
            raise SettingsError("Не задана клиника: укажите её client_id в переменной CLIENT_ID")
        clinic = await application.clinics.require(application.settings.client_id)
        yesterday = business_day(utc_now(), ZoneInfo(clinic.timezone)) - timedelta(days=1)
        progress, _ = await whole_way(application, clinic.client_id, DayRange(yesterday, yesterday))
        check_complete(progress)

    with_application(work, quiet=True)


def _asked_days(today: date, day: str, first: str, last: str) -> DayRange:
    begins = first or day or today.isoformat()
    return parse_range(begins, last or begins)


async def _all_clinics(
    application: Application, client_id: str, days: DayRange, today: date, flags: dict[str, bool]
) -> dict[str, Any]:
    started = utc_now()
    found = [one async for one in application.clinics.all() if one.subdomain]
    if client_id:
        found = [await application.clinics.require(client_id)]
    results = [await _one_clinic(application, one, days, today, flags) for one in found]
    ended = utc_now()
    return {
        "start_time": started.isoformat(),
        "end_time": ended.isoformat(),
        "duration_seconds": round((ended - started).total_seconds(), 3),
        "start_date": days.first.isoformat(),
        "end_date": days.last.isoformat(),
        **flags,
        "total_clinics": len(results),
        "clinics_with_errors": sum(bool(one["errors"]) for one in results),
        "clinics": results,
    }


async def _one_clinic(
    application: Application, clinic: Clinic, days: DayRange, today: date, flags: dict[str, bool]
) -> dict[str, Any]:
    """What was done for a clinic; its trouble does not keep the next one waiting."""
    result: dict[str, Any] = {"client_id": clinic.client_id, "name": clinic.name, "errors": []}
    try:
        progress, rows = await whole_way(application, clinic.client_id, days)
        result |= {"calls": progress.total, "transcribed": progress.transcribed,
                   "analysed": progress.analysed, "rows": rows}  # fmt: skip
        await _conclude(application, clinic.client_id, today, flags)
        check_complete(progress)
    except IncompleteError as error:
        result["errors"].append(error.message)
    except MedaiError as error:
        result["errors"].append(error.message)
        errors.print(f"{clinic.name}: {error.message}")
    return result


async def _conclude(
    application: Application, client_id: str, today: date, flags: dict[str, bool]
) -> None:
    if flags["weekly_analysis"]:
        monday = week_start(today) - timedelta(days=7)
        await application.recommendations.weekly(client_id, monday, monday + timedelta(days=6))
    if flags["monthly_analysis"]:
        month = today.replace(day=1) - timedelta(days=1)
        await application.recommendations.monthly(client_id, month.year, month.month)
    if any(flags.values()):
        await application.exports.export(client_id)


def _written(report: dict[str, Any]) -> Path:
    """The report as a file in `logs/`. Raises InvalidInputError."""
    path = Path("logs") / _name(report)
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(_text(report), encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"Отчёт {path} не записывается: проверьте папку и права") from error
    return path


def _name(report: dict[str, Any]) -> str:
    return f"report_{datetime.fromisoformat(report['start_time']):%Y%m%d_%H%M%S}.json"


def _text(report: dict[str, Any]) -> str:
    return json.dumps(report, ensure_ascii=False, indent=2)
