"""Bodies of the bulk syncs (contract 1.1)."""

from typing import Literal

from pydantic import BaseModel, Field

from medai.kit.days import parse_day
from medai.processing.day_outcomes import SKIPPED, DayOutcome, DayStatus, failed_day, joined
from medai.processing.runs import Run
from medai.processing.slices import days_of
from medai.processing.waiting import Ending, Waited

_ID = "65f1c0ffee65f1c0ffee65f1"


class PlainCounts(BaseModel):
    """What a day brought."""

    date: str = Field(description="как в запросе", examples=["19.11.2026"])
    client_id: str
    leads_processed: int = Field(description="сделок за найденными звонками", examples=[14])
    calls_saved: int = Field(description="звонков сохранено впервые", examples=[21])
    leads_with_calls: int = Field(description="сделок со звонками в работе", examples=[12])


class BulkCounts(PlainCounts):
    """What a day brought, and how."""

    errors: int = Field(description="заметок, которых CRM не показывает", examples=[0])
    execution_time: float = Field(description="секунды", examples=[2.4])
    parallel_tasks: int = Field(description="concurrency из запроса", examples=[5])


class _Day(BaseModel):
    success: bool
    message: str = Field(examples=["Синхронизация завершена: сохранено звонков 21"])
    run_id: str = Field(description="ход: GET /api/runs/{run_id}", examples=[_ID])


class BulkDay(_Day):
    """A day that was read. `data` is null with `success: false`: then `message` tells whether it
    failed or still goes on."""

    data: BulkCounts | None


class PlainDay(_Day):
    """A day that was read, in the oldest form."""

    data: PlainCounts | None


class KnownDay(BaseModel):
    """The legacy answer about a day that has stored calls: no `success`; clients know it by the
    words of `message`. `run_id`: the day is brought up to date in the background."""

    message: str
    total_calls_saved: Literal[0] = 0
    total_leads_with_calls: Literal[0] = 0
    total_leads_processed: Literal[0] = 0
    total_execution_time_seconds: float = Field(examples=[0.01])
    run_id: str | None = Field(None, examples=[_ID])


class DateRange(BaseModel):
    """The dates as they were asked for."""

    start_date: str = Field(examples=["01.11.2026"])
    end_date: str = Field(examples=["19.11.2026"])


class RangeSummary(BaseModel):
    """Sums over the days that are done."""

    total_days_processed_or_skipped: int
    total_calls_saved: int
    total_leads_processed: int
    total_leads_with_calls: int
    total_errors_in_days: int
    total_execution_time_seconds: float


class DayBreakdown(BaseModel):
    """One day; with all_clinics the sums over clinics and the worst of their statuses."""

    date: str = Field(examples=["2026-11-19"])
    status: DayStatus
    leads_processed: int
    calls_saved: int
    leads_with_calls: int
    errors: int
    execution_time_seconds: float


class ClinicOutcome(BaseModel):
    """How the run of one clinic stands."""

    client_id: str
    run_id: str = Field(examples=[_ID])
    state: str = Field(examples=["completed"])
    error: str = Field(description="что мешает или помешало, по-русски")
    days_done: int
    calls_saved: int


class BulkRange(BaseModel):
    """A range that was read. With `success: false` days may be missing (still to come) or
    `failed_day_processing`; `message` tells which. `client_id` is null with all_clinics."""

    success: bool
    message: str
    client_id: str | None
    date_range: DateRange
    overall_summary: RangeSummary
    daily_breakdown: list[DayBreakdown]
    clinics: list[ClinicOutcome]


def known_day(text: str, run_id: str | None, seconds: float) -> KnownDay:
    """Its first sentence is what the bot looks for."""
    day = parse_day(text).isoformat()
    after = "Новые звонки забираются в фоне" if run_id else "Новых звонков за этот день не бывает"
    return KnownDay(
        message=f"Синхронизация для даты {day} уже была выполнена ранее. {after}.",
        total_execution_time_seconds=round(seconds, 2),
        run_id=run_id,
    )


def bulk_day(text: str, waited: Waited, concurrency: int) -> BulkDay:
    """The answer about one day."""
    (run,) = waited.runs
    outcome, plain = _only(run), plain_day(text, waited)
    data = plain.data and BulkCounts(
        **plain.data.model_dump(), errors=outcome.errors, execution_time=outcome.seconds,
        parallel_tasks=concurrency,
    )  # fmt: skip
    return BulkDay(success=plain.success, message=plain.message, run_id=run.id, data=data)


def plain_day(text: str, waited: Waited) -> PlainDay:
    """The answer about one day with fewer counters."""
    (run,) = waited.runs
    outcome, is_done = _only(run), run.state == "completed"
    data = PlainCounts(
        date=text, client_id=str(run.client_id), leads_processed=outcome.leads_processed,
        calls_saved=outcome.calls_saved, leads_with_calls=outcome.leads_with_calls,
    )  # fmt: skip
    return PlainDay(
        success=is_done, message=_message(waited), run_id=run.id, data=data if is_done else None
    )


def bulk_range(
    client_id: str | None, dates: DateRange, waited: Waited, seconds: float
) -> BulkRange:
    """The answer about a range."""
    parts = {run.id: _outcomes(run) for run in waited.runs}
    days = sorted({day for outcomes in parts.values() for day in outcomes})
    by_day = {
        day: joined(outcomes[day] for outcomes in parts.values() if day in outcomes) for day in days
    }
    return BulkRange(
        success=all(run.state == "completed" for run in waited.runs),
        message=_message(waited),
        client_id=client_id,
        date_range=dates,
        overall_summary=_summary(by_day, seconds),
        daily_breakdown=[_breakdown(day, one) for day, one in by_day.items()],
        clinics=[_clinic(run, parts[run.id]) for run in waited.runs],
    )


def _only(run: Run) -> DayOutcome:
    return next(iter(run.outcomes.values()), SKIPPED)


def _outcomes(run: Run) -> dict[str, DayOutcome]:
    """Days that are done; of an ended run also those it never came to, as failed ones."""
    if run.state == "running":
        return run.outcomes
    return {
        day.isoformat(): run.outcomes.get(day.isoformat(), failed_day()) for day in days_of(run)
    }


def _summary(by_day: dict[str, DayOutcome], seconds: float) -> RangeSummary:
    total = joined(by_day.values())
    return RangeSummary(
        total_days_processed_or_skipped=len(by_day),
        total_calls_saved=total.calls_saved,
        total_leads_processed=total.leads_processed,
        total_leads_with_calls=total.leads_with_calls,
        total_errors_in_days=total.errors,
        total_execution_time_seconds=round(seconds, 2),
    )


def _breakdown(day: str, one: DayOutcome) -> DayBreakdown:
    return DayBreakdown(
        date=day, status=one.status, leads_processed=one.leads_processed,
        calls_saved=one.calls_saved, leads_with_calls=one.leads_with_calls, errors=one.errors,
        execution_time_seconds=round(one.seconds, 2),
    )  # fmt: skip


def _clinic(run: Run, outcomes: dict[str, DayOutcome]) -> ClinicOutcome:
    return ClinicOutcome(
        client_id=str(run.client_id), run_id=run.id, state=run.state, error=run.error,
        days_done=len(outcomes), calls_saved=sum(one.calls_saved for one in outcomes.values()),
    )  # fmt: skip


def _message(waited: Waited) -> str:
    going = [run for run in waited.runs if run.state == "running"]
    troubles = [run.error for run in waited.runs if run.error]
    if waited.ending is Ending.NO_WORKER:
        return (
            "Синхронизация ждёт в очереди: ни один обработчик не работает, запустите medai worker"
        )
    if going:
        reason = f" ({troubles[0]})" if troubles else ""
        return f"Синхронизация ещё идёт{reason}: её ход показывает GET /api/runs/{going[0].id}"
    if any(run.state != "completed" for run in waited.runs):
        return troubles[0] if troubles else "Синхронизация отменена: запустите её снова"
    saved = sum(one.calls_saved for run in waited.runs for one in run.outcomes.values())
    return f"Синхронизация завершена: сохранено звонков {saved}"
