"""Speech-to-text by ElevenLabs: its words into ours (elevenlabs.md 3, 5)."""

import heapq
import math
from collections.abc import Iterable

from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.elevenlabs.failures import PROVIDER
from medai.integrations.elevenlabs.models import SttRequest, SttResult, SttTranscript, SttWord
from medai.transcription.models import Recognition, Word

STEREO = 2
_SPEAKERS = 2
_PARAMETERS = "p1"
"""Raise it when the request changes in a way that changes the answer."""

_NOT_SPEECH = {"spacing", "audio_event"}
_SHORT_CODES = {"rus": "ru", "eng": "en", "kaz": "kk", "ukr": "uk", "bel": "be", "uzb": "uz"}
"""The provider names languages now by two letters, now by three."""


_SLOT_SECONDS = 8 * 60
_MOST_SLOTS = 4
"""Longer recordings are split by the provider and take several slots (elevenlabs.md 7)."""


class ElevenLabsSpeechToText:
    """The port `SpeechToText`: two channels are recognised apart, one with diarization."""

    def __init__(self, client: ElevenLabsClient, *, model: str, language: str) -> None:
        """`language` is an ISO-639 hint; empty text lets the provider detect it."""
        self._client = client
        self.provider = PROVIDER
        self.model = model
        self._language = language or None
        self._ceiling: int | None = None

    def fingerprint(self, *, channels: int) -> str:
        """Provider, model, language and mode: two requests that agree here give one answer."""
        mode = "channels" if channels == STEREO else "roles"
        return f"{PROVIDER}:{self.model}:{self._language or 'auto'}:{mode}:{_PARAMETERS}"

    @property
    def ceiling(self) -> int | None:
        """The `maximum-concurrent-requests` of the last answer."""
        return self._ceiling

    def slots(self, seconds: float) -> int:
        """One for each eight minutes begun, four at most."""
        return min(max(math.ceil(seconds / _SLOT_SECONDS), 1), _MOST_SLOTS)

    async def recognise(self, audio: bytes, *, filename: str, channels: int) -> Recognition:
        """Recognise one recording; costs money. Raises as the port says."""
        result = await self._client.transcribe(
            audio, filename=filename, request=self._request(channels)
        )
        self._ceiling = result.maximum_concurrent_requests or self._ceiling
        return recognition(result, model=self.model, by_channel=channels == STEREO)

    def _request(self, channels: int) -> SttRequest:
        if channels == STEREO:
            return SttRequest(
                model_id=self.model,
                language_code=self._language,
                diarize=False,
                use_multi_channel=True,
            )
        return SttRequest(
            model_id=self.model,
            language_code=self._language,
            diarize=True,
            num_speakers=_SPEAKERS,
            detect_speaker_roles=True,
        )


def recognition(result: SttResult, *, model: str, by_channel: bool) -> Recognition:
    """The provider's answer as words in time order, each with its speaker's label."""
    transcripts = result.answer.transcripts
    streams = [
        _words(one.words, default=_channel(one, position) if by_channel else None)
        for position, one in enumerate(transcripts)
    ]
    language = transcripts[0].language_code
    return Recognition(
        words=tuple(heapq.merge(*streams, key=lambda word: word.start_ms)),
        language=_SHORT_CODES.get(language, language),
        model=model,
        seconds=result.answer.audio_duration_secs or 0.0,
        raw=result.raw,
        provider_ref=result.request_id,
    )


def _channel(transcript: SttTranscript, position: int) -> str:
    index = transcript.channel_index
    return f"channel_{position if index is None else index}"


def _words(words: Iterable[SttWord], *, default: str | None) -> list[Word]:
    """Words and signs in the provider's order, with times that never run backwards.

    `default` is the label of the channel; without it a word lacking a speaker is given to the
    previous one. A missing time is taken from the neighbour before.
    """
    kept: list[Word] = []
    speaker, moment = default or "speaker_0", 0
    for word in words:
        text = word.text.strip()
        if word.type in _NOT_SPEECH or not text:
            continue
        speaker = default or word.speaker_id or speaker
        start = max(moment, _milliseconds(word.start, moment))
        end = max(start, _milliseconds(word.end, start))
        kept.append(Word(text=text, start_ms=start, end_ms=end, speaker=speaker))
        moment = start
    return kept


def _milliseconds(seconds: float | None, otherwise: int) -> int:
    return otherwise if seconds is None else round(seconds * 1000)
