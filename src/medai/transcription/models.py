"""A transcript: who said what and when."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from medai.kit.model import Frozen


class Role(StrEnum):
    """Who speaks, from the clinic's point of view."""

    ADMINISTRATOR = "administrator"
    PATIENT = "patient"
    OTHER = "other"


class Utterance(Frozen):
    """A stretch of speech of one speaker. Times are milliseconds from the recording's start."""

    speaker: str
    role: Role
    start_ms: int
    end_ms: int
    text: str


class Transcript(Frozen):
    """All utterances of a call in time order.

    `roles_confidence` is 0-1: 1.0 for stereo channels or provider roles, lower when our phrase
    rules had to decide. `recognition_id` names the raw provider answer it was made from.
    """

    call_id: str
    client_id: str
    recognition_id: str
    utterances: tuple[Utterance, ...]
    roles_confidence: float
    roles_source: Literal["channels", "provider", "phrases", "manual"]
    language: str
    model: str
    seconds: float
    transcribed_at: datetime


class Recognition(Frozen):
    """The provider's answer in our words: words with speakers, and what it was billed for.

    `words` are in time order. `seconds` is what was billed, each channel by itself; 0 when the
    provider did not say. `provider_ref` is the provider's number of the request.
    """

    words: tuple["Word", ...]
    language: str
    model: str
    seconds: float
    raw: dict[str, Any]
    provider_ref: str | None = None


class Word(Frozen):
    """One recognised word or sign with its times in milliseconds.

    `speaker` is the provider's label, or `channel_N` for stereo.
    """

    text: str
    start_ms: int
    end_ms: int
    speaker: str
