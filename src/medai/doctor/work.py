"""Work and what stands in its way: workers, jobs, stops, lost answers, exports, minutes,
time zones."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from medai.clinics.models import Clinic
from medai.datalens.days import ExportDays
from medai.doctor.findings import Finding, ok, problem, warning
from medai.errors import InvalidInputError
from medai.infra.job_figures import QueueFigures, WorkerFigures, queue_figures, worker_figures
from medai.infra.postgres import Pool
from medai.kit.days import zone
from medai.ledger.models import EffectKind
from medai.ledger.repository import EffectRepository
from medai.limits.state import PeriodState, state_of
from medai.processing.stops import Stops

_LONG_WAIT_SECONDS = 600.0
_FULL_PERCENT = 80
_LONG_DUE = timedelta(days=1)
_PERIODS = {"month": "месяц", "week": "неделю"}


async def check_jobs(pool: Pool) -> list[Finding]:
    """The job engine: who works, what waits, what is stuck. Raises StoreError."""
    return list(_jobs(await queue_figures(pool), await worker_figures(pool)))


def _jobs(queues: list[QueueFigures], workers: WorkerFigures) -> Iterator[Finding]:
    due = sum(queue.due for queue in queues)
    if workers.alive:
        yield ok("workers", f"Обработчики очередей работают: {workers.alive}, заданий ждёт: {due}")
    elif due:
        yield problem(
            "workers",
            f"Заданий ждёт: {due}, а обработчиков нет: запустите medai run или medai worker",
        )
    else:
        yield warning("workers", "Обработчиков нет: запустите medai run или medai worker")
    for queue in queues:
        waits = queue.oldest_due_seconds or 0.0
        if waits > _LONG_WAIT_SECONDS:
            yield warning(
                "queues",
                f"Очередь {queue.queue} отстаёт на {waits / 60:.0f} мин, заданий: {queue.due}:"
                " добавьте обработчиков или найдите причину в журнале",
            )
        if failed := queue.jobs.get("failed", 0):
            yield warning(
                "queues",
                f"В очереди {queue.queue} сорвалось заданий: {failed}: они повторятся сами,"
                " причина в журнале",
            )
    if workers.stalled_jobs:
        yield warning(
            "queues",
            f"Заданий у пропавших обработчиков: {workers.stalled_jobs}: работающий обработчик"
            " вернёт их в очередь",
        )


async def check_stops(stops: Stops) -> list[Finding]:
    """Providers that stand still. Raises StoreError."""
    found = [
        problem("stops", f"Работа с {stop.provider} стоит с {stop.since:%d.%m.%Y %H:%M} UTC:"
                         f" {stop.message}")
        async for stop in stops.standing()
    ]  # fmt: skip
    return found or [ok("stops", "Остановленных сервисов нет")]


async def check_held(pool: Pool) -> list[Finding]:
    """Paid or posting requests whose answer was lost. Raises StoreError."""
    effects = EffectRepository(pool)
    count = 0
    for kind in (EffectKind.RECOGNITION, EffectKind.CRM_NOTE):
        count += len(await effects.unknown(kind))
    if count:
        return [warning("held", f"Потерянных ответов: {count}: если звонки ждут решения,"
                                " их покажет medai held list")]  # fmt: skip
    return [ok("held", "Потерянных ответов нет")]


async def check_exports(days: ExportDays, now: datetime) -> list[Finding]:
    """Days that wait for their export longer than it should take. Raises StoreError."""
    count, oldest = await days.overdue(now - _LONG_DUE)
    if oldest is None:
        return [ok("exports", "Показатели для DataLens выгружаются вовремя")]
    return [warning(
        "exports",
        f"Дней ждёт выгрузки для DataLens больше суток: {count}, самый ранний"
        f" {oldest.day:%d.%m.%Y}: выполните medai export, причина в журнале",
    )]  # fmt: skip


def check_clinic(clinic: Clinic, now: datetime) -> list[Finding]:
    """A clinic's time zone and minutes."""
    try:
        zone(clinic.timezone)
    except InvalidInputError as error:
        return [problem("time_zones", f"Клиника «{clinic.name}»: {error.message}")]
    state = state_of(clinic, now)
    found = [one for period in (state.month, state.week) for one in _quota(clinic.name, period)]
    return found or [
        ok("quotas", f"Клиника «{clinic.name}»: минут хватает, пояс {clinic.timezone}")
    ]


def _quota(name: str, period: PeriodState) -> Iterator[Finding]:
    whose = f"Клиника «{name}», минуты за {_PERIODS[period.kind]}"
    if not period.left_seconds:
        yield problem("quotas", f"{whose}: закончились, звонки ждут: medai limits add")
    elif period.percent >= _FULL_PERCENT:
        yield warning("quotas", f"{whose}: израсходовано {period.percent:.0f} %: medai limits add")
    elif period.runs_out_at is not None:
        yield warning("quotas", f"{whose}: при нынешнем темпе кончатся"
                                f" {period.runs_out_at:%d.%m.%Y}: medai limits add")  # fmt: skip
