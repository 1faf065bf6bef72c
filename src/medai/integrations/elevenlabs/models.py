"""What ElevenLabs answers, checked by us: its SDK builds objects without validation."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

_LONGEST_SECONDS = 24 * 3600
"""A time beyond a day is damage: recordings last at most ten hours (elevenlabs.md 7)."""


def _usable_seconds(value: Any) -> float | None:
    """Seconds; None for a missing or absurd value: a paid word is not thrown away."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= _LONGEST_SECONDS else None


Seconds = Annotated[float | None, BeforeValidator(_usable_seconds)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SttWord(_Answer):
    """A word, a space or a sound. `type`: word, spacing or audio_event (elevenlabs.md 5)."""

    text: str
    start: Seconds = None
    end: Seconds = None
    type: str = "word"
    speaker_id: str | None = None


class SttTranscript(_Answer):
    """One channel, or the whole mono recording."""

    language_code: str = ""
    words: tuple[SttWord, ...]
    channel_index: int | None = None


class SttAnswer(_Answer):
    """`transcripts` holds one entry for mono, one per channel for separate channels."""

    transcripts: tuple[SttTranscript, ...]
    audio_duration_secs: Seconds = None
    transcription_id: str | None = None


class Subscription(_Answer):
    """The account's plan and how much of it is used, in provider credits.

    What the provider tells beyond these fields is kept as it came (`model_extra`).
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    tier: str
    character_count: int
    character_limit: int
    next_character_count_reset_unix: int | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class SttRequest:
    """Parameters of one recognition (elevenlabs.md 3); None leaves a field out."""

    model_id: str
    diarize: bool
    language_code: str | None = None
    num_speakers: int | None = None
    detect_speaker_roles: bool | None = None
    use_multi_channel: bool | None = None
    tag_audio_events: bool = False


@dataclass(frozen=True, slots=True)
class SttResult:
    """A finished recognition: validated answer, its raw body and the useful headers."""

    answer: SttAnswer
    raw: dict[str, Any]
    request_id: str | None
    maximum_concurrent_requests: int | None
