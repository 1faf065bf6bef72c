"""What transcription needs from a speech-to-text provider."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from medai.transcription.models import Recognition

Answered = Callable[[], Awaitable[None]]
"""Called once the provider has answered: its place is free for the next request."""


async def nobody_waits() -> None:
    """Nothing happens after the answer."""


class SpeechToText(Protocol):
    """Turns audio into words with speakers. Costs money per call.

    Raises ProviderUnavailableError or ProviderRateLimitedError when nothing was done,
    AnswerLostError when the work may have been done and paid, ProviderStoppedError for key or
    payment trouble, ProviderRejectedError for audio that can never pass, ProviderAnswerError for
    an unreadable answer (which is paid).
    """

    @property
    def provider(self) -> str:
        """Who is paid."""

    @property
    def model(self) -> str:
        """The provider's model."""

    def fingerprint(self, *, channels: int) -> str:
        """Model and parameters as one short text: with the audio's hash it names the work."""

    @property
    def ceiling(self) -> int | None:
        """How many slots the provider said it has; None before its first answer."""

    def slots(self, seconds: float) -> int:
        """How many of the provider's slots a recording of this length takes while it works."""

    async def recognise(self, audio: bytes, *, filename: str, channels: int) -> Recognition:
        """Recognise one recording; two channels are recognised apart, one with diarization."""
