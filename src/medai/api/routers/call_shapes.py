"""What clients read about calls, as types (contract 1.2, 2.1). Answers are checked against them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["pending", "processing", "success", "failed", "limit_exceeded"]
_MOMENT = "2026-11-19T08:15:30.120000+00:00"
_LINK = "https://api.example.ru/api/calls/download/5f0c0d9e2b7a4c1d8e6f0a12?expires=1826409600&signature=9c1d"


class CallDocument(BaseModel):
    """One call (contract 2.1). Keys of the analysis are absent until the call is analysed."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(alias="_id", examples=["5f0c0d9e2b7a4c1d8e6f0a12"], description="call_id")
    note_id: int | str = Field(
        examples=[73912045],
        description="amoCRM note; the event's id (text) when the note was not found",
    )
    event_id: str | None = Field(examples=["01hf2c3d4e5f"])
    lead_id: int | None = Field(examples=[31415926])
    lead_name: str = Field(examples=["Имплантация"])
    contact_id: int | None = Field(examples=[27182818])
    contact_name: str = Field(examples=["Неизвестный контакт"])
    client_id: str = Field(examples=["0b1c2d3e-0000-4000-8000-000000000001"])
    subdomain: str = Field(examples=["clinic"])
    administrator: str = Field(examples=["Неизвестный администратор"])
    source: str = Field(examples=["Неопределенный"])
    processing_speed: int = Field(examples=[5], description="minutes")
    processing_speed_str: str = Field(examples=["5-10 мин"])
    call_direction: Literal["Входящий", "Исходящий", "Неизвестно"] = Field(examples=["Входящий"])
    duration: int = Field(examples=[95], description="seconds")
    duration_formatted: str = Field(examples=["1:35"])
    phone: str = Field(examples=["+79000000001"], description="«Неизвестно» without a number")
    call_link: str = Field(examples=["https://pbx.example.ru/r/1.mp3"], description="may be empty")
    created_at: int = Field(examples=[1795076130], description="start of the call, Unix seconds")
    created_date: str = Field(examples=["2026-11-19 11:15:30"], description="in the clinic's zone")
    created_date_iso: str = Field(examples=["2026-11-19T11:15:30+03:00"])
    created_date_for_filtering: str = Field(examples=["2026-11-19"], description="day of the call")
    recorded_at: str = Field(examples=[_MOMENT], description="when we stored the call")
    updated_at: str = Field(examples=[_MOMENT])
    amocrm_user_id: int | None = Field(examples=[1234567])
    conversion_type: str | None = Field(examples=["Первичные -> Записались"])
    transcription_status: Status = Field(examples=["success"])
    transcription_error: str | None = Field(
        examples=[None], description="why there is no transcript: recording, recognition, minutes"
    )
    filename_audio: str | None = Field(examples=["5f0c0d9e2b7a4c1d8e6f0a12.mp3"])
    filename_transcription: str | None = Field(
        examples=["note_73912045_5f0c0d9e2b7a4c1d8e6f0a12.txt"]
    )
    amo_transcription_synced: bool = Field(examples=[True])
    amo_transcription_note_id: int | None = Field(examples=[73912099])
    amo_transcription_synced_at: str | None = Field(examples=[_MOMENT])
    amo_transcription_error: str | None = Field(
        None, examples=[None], description="ours: why the note is not in the CRM yet"
    )
    metrics: dict[str, int | float | bool | str] = Field(
        examples=[
            {
                "greeting": 10,
                "overall_score": 7.5,
                "conversion": True,
                "call_type_classification": "первичка",
            }
        ],
        description="conversion; after analysis also criteria 0-10, overall_score and call type."
        " A criterion that does not apply to the call is absent",
    )
    call_type_id: int | None = Field(None, examples=[1], description="1-5, once analysed")
    call_type_name: str | None = Field(None, examples=["первичка"])
    recommendations: list[str] | None = Field(None, examples=[["Назовите клинику"]])
    analysis_id: str | None = Field(None, examples=["5f0c0d9e2b7a4c1d8e6f0a12_analysis.txt"])
    analyzed_at: str | None = Field(None, examples=[_MOMENT])
    analyze_status: Literal["pending", "processing", "success", "failed"] = Field(
        examples=["success"]
    )
    analysis_error: str | None = Field(
        None, examples=[None], description="ours: why there is no analysis"
    )


class Calls(BaseModel):
    calls: list[CallDocument]
    total: int = Field(
        examples=[1], description="of all that match; more than in calls when limit or offset cut"
    )


class CallList(BaseModel):
    """calls/list."""

    success: Literal[True]
    message: str = Field(examples=["Найдено звонков: 1"])
    data: Calls


class Queued(BaseModel):
    """What was asked for one call. `status` is success when the transcript is there already."""

    call_id: str = Field(examples=["5f0c0d9e2b7a4c1d8e6f0a12"])
    note_id: int | str = Field(examples=[73912045])
    lead_id: int | None = Field(examples=[31415926])
    audio_file: str = Field(
        examples=["5f0c0d9e2b7a4c1d8e6f0a12.mp3"], description="empty until it is downloaded"
    )
    transcription_file: str = Field(examples=["note_73912045_5f0c0d9e2b7a4c1d8e6f0a12.txt"])
    phone: str = Field(examples=["+79000000001"])
    client_name: str = Field(examples=["Неизвестный контакт"])
    manager_name: str = Field(examples=["Неизвестный администратор"])
    status: Literal["processing", "success"]
    download_url: str = Field(examples=[_LINK], description="signed: opens without a key")
    transcription_url: str = Field(
        examples=[_LINK], description="signed; 404 until there is a transcript"
    )
    run_id: str = Field(examples=["6a1b2c3d4e5f60718293a4b5"], description="ours: see /api/runs")


class TranscriptionQueued(BaseModel):
    """download-and-transcribe."""

    success: Literal[True]
    message: str = Field(examples=["Транскрибация запущена"])
    data: Queued


class RangeStarted(BaseModel):
    """A start endpoint of a range; there is no `success` (contract 1.2)."""

    message: str = Field(examples=["Транскрибация запущена"])
    total_found: int = Field(examples=[12])
    tasks_queued: int = Field(examples=[12])
    duration_seconds: float = Field(examples=[0.021])
    run_id: str = Field(examples=["6a1b2c3d4e5f60718293a4b5"], description="ours: see /api/runs")


class StatusBreakdown(BaseModel):
    pending: int = Field(examples=[0], description="neither done, failed nor going on")
    processing: int = Field(examples=[3])
    success: int = Field(examples=[9])
    failed: int = Field(examples=[0])


class RangeStatus(BaseModel):
    """A status endpoint of a range."""

    overall_status: Literal["processing", "pending", "completed", "partial"] = Field(
        description="polling ends on completed and partial. Calls that wait for minutes, for a"
        " person or for hours count as pending, and alone make it partial"
    )
    total_calls: int = Field(examples=[12])
    status_breakdown: StatusBreakdown
    progress_percentage: Annotated[float, Field(ge=0, le=100, examples=[75.0])]
    limit_exceeded: int = Field(
        0, examples=[0], description="ours: those of the pending that wait for minutes"
    )


class QuotaSpent(BaseModel):
    """Minutes of the clinic (contract 1.2: 403)."""

    error: str = Field(examples=["Месячный лимит минут исчерпан: добавьте минуты"])
    clinic_name: str = Field(examples=["Клиника"])
    monthly_limit: float = Field(examples=[3000.0])
    current_usage: float = Field(examples=[3000.0])
    remaining: float = Field(examples=[0.0])


def refusal(detail: QuotaSpent) -> dict[str, Any]:
    """The body of 403 for spent minutes."""
    return {"detail": detail.model_dump(), "code": "limit_exceeded"}
