"""A call and its life: what is stored about one telephone conversation."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from medai.kit.model import Frozen

UNKNOWN_ADMINISTRATOR = "Неизвестный администратор"
UNDEFINED_SOURCE = "Неопределенный"
"""Data values that dashboards group by (contract 2.1)."""


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The data value of old documents, boards and people (contract 2.1)."""
        return {"inbound": "Входящий", "outbound": "Исходящий"}.get(self.value, "Неизвестно")


class Stage(StrEnum):
    """The last step that is done for a call (design 5). Order is the order of life."""

    DISCOVERED = "discovered"
    SKIPPED = "skipped"
    RECORDED = "recorded"
    AUDIO_STORED = "audio_stored"
    TRANSCRIBED = "transcribed"
    NOTED = "noted"
    ANALYSED = "analysed"
    EXPORTED = "exported"

    @property
    def rank(self) -> int:
        """Position in a call's life, for "at least this far" questions."""
        return list(Stage).index(self)


class Step(StrEnum):
    """What is done with a call, each step with its own attempts and failures.

    The note and the analysis both need only the transcript: neither waits for the other.
    """

    RECORDING = "recording"
    TRANSCRIPTION = "transcription"
    NOTE = "note"
    ANALYSIS = "analysis"

    @property
    def stage(self) -> Stage:
        """The stage that a call has reached when the step is done."""
        return {
            Step.RECORDING: Stage.AUDIO_STORED,
            Step.TRANSCRIPTION: Stage.TRANSCRIBED,
            Step.NOTE: Stage.NOTED,
            Step.ANALYSIS: Stage.ANALYSED,
        }[self]


class SkipReason(StrEnum):
    """Why a call is not processed further."""

    ZERO_DURATION = "zero_duration"
    SHORT = "short"
    DUPLICATE = "duplicate"
    NOTE_LINK = "note_link"
    NOTE_MISSING = "note_missing"


class Audio(Frozen):
    """The stored recording. `seconds` is measured by decoding, not taken from a header;
    `distinct_channels` tells real stereo (one speaker per channel) from doubled mono."""

    file: str
    sha256: str
    seconds: float
    channels: int
    distinct_channels: bool
    codec: str
    size_bytes: int


class TranscriptSummary(Frozen):
    """What lists need to know of a transcript; the utterances have a document of their own."""

    filename: str
    model: str
    seconds: float
    utterances: int
    roles_confidence: float
    transcribed_at: datetime


class CrmNote(Frozen):
    """The transcript's notes in the CRM, in order of their parts."""

    note_ids: tuple[int, ...]
    written_at: datetime


class Analysis(Frozen):
    """The scores of a call (contract 2.1 metrics). Evidence has a document of its own.

    `scores` holds every criterion of the type; None means not applicable. `overall` is 0-10.
    """

    call_type_id: int
    call_type: str
    scores: dict[str, int | None]
    overall: float
    recommendations: tuple[str, ...]
    needs_review: bool
    scorecard_version: str
    model: str
    analysed_at: datetime


class Failure(Frozen):
    """Why a step is not done: a stable code, a Russian line, and when it is tried again.

    `next_try_at` None means that it is final until a person asks again. `stop` names what the
    step waits for when its provider stands still (`processing/stops.py`).
    """

    code: str
    message: str
    attempts: int
    failed_at: datetime
    next_try_at: datetime | None
    stop: str | None = None


class Call(Frozen):
    """One call of a clinic. Moments are aware UTC; `business_day` is in the clinic's zone.

    `id` is `kit.ids.call_id(client_id, note_id)`. `collection` and `entity_id` name the CRM card
    that holds the call note; our own note goes to the same card.
    """

    id: str
    client_id: str
    subdomain: str
    note_id: int | str
    event_id: str | None = None
    uniq: str | None = None
    origin: Literal["amocrm", "file"] = "amocrm"
    collection: Literal["leads", "contacts", "companies"] | None = None
    entity_id: int | None = None
    lead_id: int | None = None
    lead_name: str = ""
    contact_id: int | None = None
    contact_name: str = ""
    responsible_user_id: int | None = None
    crm_administrator: str = ""
    administrator: str = UNKNOWN_ADMINISTRATOR
    administrator_confidence: float = 0.0
    source: str = UNDEFINED_SOURCE
    processing_speed_minutes: int = 0
    processing_speed_label: str = "0 мин"
    direction: Direction = Direction.UNKNOWN
    duration_seconds: int = 0
    phone: str = ""
    recording_url: str | None = None
    started_at: datetime
    business_day: date
    converted: bool = False
    conversion_type: str | None = None
    stage: Stage = Stage.DISCOVERED
    skip_reason: SkipReason | None = None
    duplicate_of: str | None = None
    transcription_requested_at: datetime | None = None
    analysis_requested_at: datetime | None = None
    analysis_again_at: datetime | None = None
    """When a newer analysis was asked for. The one that is there stays until the newer one is."""
    run_id: str | None = None
    """The run that asked for the call last."""
    cancelled_at: datetime | None = None
    """A person took the wish back: nothing further starts until a person asks again."""
    audio: Audio | None = None
    transcript: TranscriptSummary | None = None
    note_attempted_at: datetime | None = None
    crm_note: CrmNote | None = None
    analysis: Analysis | None = None
    first_analysed_at: datetime | None = None
    """When the call was analysed for the first time; None before that and for older calls."""
    failures: dict[Step, Failure] = Field(default_factory=dict)
    stored_at: datetime
    updated_at: datetime
