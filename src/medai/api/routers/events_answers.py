"""Bodies of the events export (contract 1.1)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from medai.calls.models import Call
from medai.kit.days import zone
from medai.processing.events_export import Begun, StoredDay
from medai.processing.runs import Run

_RESULTS = "Результаты: GET /api/calls-events/export-results с теми же датами"
_STORED = "Показаны звонки, которые уже сохранены; новые приносит POST /api/calls-events/export"


class ExportOrder(BaseModel):
    """What to pull. Limits of the old system are accepted and change nothing: calls are read in
    batches until the last one, and short ones are always left out."""

    client_id: str = Field(max_length=100, examples=["0b1c7a52-5c1e-4d0a-9d58-3f1f0a6f2b11"])
    start_date: str | None = Field(
        None, max_length=32, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД; без дат — сегодня в клинике",
        examples=["19.11.2026"],
    )  # fmt: skip
    end_date: str | None = Field(None, max_length=32, examples=["19.11.2026"])
    max_pages: int = Field(50, ge=1, le=100, description="принимается, ничего не меняет")
    detailed: bool = Field(True, description="принимается, ничего не меняет")
    max_calls: int = Field(5000, ge=1, le=10000, description="принимается, ничего не меняет")
    concurrency: int = Field(5, ge=1, le=20, description="принимается, ничего не меняет")
    filter_zero_duration: bool = Field(True, description="принимается, ничего не меняет")


class _Begun(BaseModel):
    success: Literal[True] = True
    message: str = Field(examples=["Экспорт звонков запущен"])
    run_id: str = Field(examples=["65f1c0ffee65f1c0ffee65f1"])
    start_date: str = Field(description="с этими датами спрашивают результаты")
    end_date: str
    duration_seconds: float = Field(examples=[0.012])


class ExportStarted(_Begun):
    """The sync is queued. How many calls there are is known only when it has ended, so
    `total_found` is 0 and `tasks_queued` the number of queued jobs."""

    total_found: int = Field(0, description="ещё неизвестно: число даст export-results")
    tasks_queued: int = Field(1, ge=1)
    detailed_mode: bool
    max_calls_limit: int
    note: str = Field(examples=[_RESULTS])


class ExportEmpty(_Begun):
    """Nothing can be found: the days have not come yet."""

    total_found: Literal[0] = 0
    tasks_queued: Literal[0] = 0


class ExportRefused(BaseModel):
    """Nothing was started: `message` says what to correct."""

    success: Literal[False] = False
    message: str = Field(examples=["Неверная дата «завтра»: укажите ДД.ММ.ГГГГ или ГГГГ-ММ-ДД"])
    data: None = None
    total_found: Literal[0] = 0
    tasks_queued: Literal[0] = 0


class ExportStatistics(BaseModel):
    """Counts of one sync (contract 2.2 `call_status`). All are 0 when it failed at once."""

    client_id: str
    start_date: str = Field(examples=["19.11.2026"])
    end_date: str = Field(examples=["19.11.2026"])
    total_found: int = 0
    total_processed: int = 0
    saved_to_db: int = Field(0, description="сохранены впервые")
    filtered_zero_duration: int = 0
    filtered_short_calls: int = 0
    filtered_duplicates: int = Field(0, description="повторы и звонки, известные раньше")
    filtered_note_links: int = Field(0, description="вместо записи ссылка на заметку")
    processing_errors: int = 0
    created_at: datetime | None = Field(description="когда запуск закончился")


class ExportResults(BaseModel):
    """An ended sync; `success` is false when it failed, and `message` tells why."""

    success: bool
    message: str = Field(examples=["Экспорт звонков завершён"])
    statistics: ExportStatistics


class SampleCall(BaseModel):
    """One stored call."""

    event_id: str | None = Field(examples=["01kabc"])
    phone: str = Field(examples=["+79000000001"])
    duration: int = Field(description="секунды", examples=[125])
    call_direction: str = Field(examples=["Входящий"])
    recorded_at: str = Field(description="в поясе клиники", examples=["2026-11-19T12:30:00+03:00"])
    has_call_link: bool


class DayCounts(BaseModel):
    """Stored calls of the day. `short_calls` were too short or had no talk."""

    total_calls_found: int
    normal_calls: int
    short_calls: int
    sample_size: int


class ExportDay(BaseModel):
    """What is stored of a day."""

    success: Literal[True] = True
    message: str
    client_id: str
    date: str = Field(description="как в запросе", examples=["19.11.2026"])
    date_filter: str = Field(examples=["2026-11-19"])
    statistics: DayCounts
    recent_calls_sample: list[SampleCall] = Field(max_length=5)
    note: str


class ExportForgotten(BaseModel):
    """How many statistics there were and are no more."""

    success: Literal[True] = True
    message: str
    deleted_count: int = Field(examples=[3])
    count_before: int = Field(examples=[3])


def begun(found: Begun, order: ExportOrder, seconds: float) -> ExportStarted | ExportEmpty:
    """The answer of a start."""
    run_id, first, last, took = found.run_id, found.first, found.last, round(seconds, 3)
    if found.is_empty:
        message = "Звонков нет: эти дни ещё не наступили"
        return ExportEmpty(
            message=message, run_id=run_id, start_date=first, end_date=last, duration_seconds=took
        )
    return ExportStarted(
        message="Экспорт звонков запущен", run_id=run_id, start_date=first, end_date=last,
        duration_seconds=took, detailed_mode=order.detailed, max_calls_limit=order.max_calls,
        note=_RESULTS,
    )  # fmt: skip


def results(run: Run) -> ExportResults:
    """The answer about an ended run."""
    known = {name: n for name, n in run.statistics.items() if name in ExportStatistics.model_fields}
    statistics = ExportStatistics(
        client_id=str(run.client_id), start_date=run.first, end_date=run.last,
        created_at=run.finished_at, **known,
    )  # fmt: skip
    is_whole = run.state == "completed"
    message = "Экспорт звонков завершён" if is_whole else run.error or "Экспорт отменён"
    return ExportResults(success=is_whole, message=message, statistics=statistics)


def stored_day(found: StoredDay, asked: str) -> ExportDay:
    """The answer about a day."""
    tz = zone(found.clinic.timezone)
    counts = DayCounts(
        total_calls_found=found.total, normal_calls=found.normal, short_calls=found.short,
        sample_size=len(found.sample),
    )  # fmt: skip
    return ExportDay(
        message=f"Сохранено звонков: {found.total}",
        client_id=found.clinic.client_id,
        date=asked,
        date_filter=found.days.first.isoformat(),
        statistics=counts,
        recent_calls_sample=[
            _sample(call, call.started_at.astimezone(tz).isoformat()) for call in found.sample
        ],
        note=_STORED,
    )


def _sample(call: Call, recorded_at: str) -> SampleCall:
    return SampleCall(
        event_id=call.event_id, phone=call.phone, duration=call.duration_seconds,
        call_direction=call.direction.label, recorded_at=recorded_at,
        has_call_link=bool(call.recording_url),
    )  # fmt: skip
