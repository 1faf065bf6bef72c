"""Transcripts of calls: recognise once, cut into utterances, give roles, let people correct."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

from medai.calls.models import Call
from medai.errors import NotFoundError
from medai.infra.documents import Documents
from medai.infra.files import Files
from medai.kit.clock import Clock
from medai.ledger.ports import Effects
from medai.transcription import speakers
from medai.transcription.answers import RawAnswers
from medai.transcription.ledger import Payment
from medai.transcription.models import Recognition, Transcript
from medai.transcription.paid_once import PaidOnce
from medai.transcription.ports import Answered, SpeechToText, nobody_waits
from medai.transcription.repository import PaymentRepository, TranscriptRepository
from medai.transcription.utterances import turns
from medai.transcription.work import Work

_DEFAULT_LEASE = timedelta(minutes=7)
"""Above the default ELEVENLABS_TIMEOUT_SECONDS; pass `paid_once.lease_for(timeout)`."""


LONGEST_BY_CHANNEL_SECONDS = 3600
"""Longer stereo is recognised as one stream with diarization (elevenlabs.md 3)."""


class MeasuredAudio(Protocol):
    """What was measured of a recording: `recordings.probe.AudioFacts` and `calls.models.Audio`."""

    @property
    def seconds(self) -> float:
        """Decoded length."""

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""

    @property
    def distinct_channels(self) -> bool:
        """Whether two channels hold different speech."""


class TranscriptionService:
    """Makes and keeps transcripts. Minutes of the clinic's quota are the caller's business."""

    def __init__(
        self,
        documents: Documents,
        files: Files,
        speech: SpeechToText,
        effects: Effects,
        clock: Clock,
        *,
        repeats_after_lost_answer: int,
        lease: timedelta = _DEFAULT_LEASE,
    ) -> None:
        self.payments = PaymentRepository(documents)
        self._transcripts = TranscriptRepository(documents)
        self._clock = clock
        self._speech = speech
        self._repeats = repeats_after_lost_answer
        self._paid_once = PaidOnce(
            self.payments,
            RawAnswers(documents, files),
            speech,
            effects,
            clock,
            repeats_after_lost_answer=repeats_after_lost_answer,
            lease=lease,
        )

    async def transcribe(
        self, call: Call, audio: bytes, facts: MeasuredAudio, *, answered: Answered = nobody_waits
    ) -> Transcript:
        """The transcript of the call's audio, stored; the same audio is never paid twice.

        A transcript made earlier from the same answer is returned as it is, with roles that a
        person may have swapped. Raises what `PaidOnce.recognise` raises.
        """
        work = Work(
            audio=audio,
            filename=_upload_name(facts),
            seconds=facts.seconds,
            channels=_channels(facts),
            call_id=call.id,
            client_id=call.client_id,
        )
        recognition_id, recognition = await self._paid_once.recognise(work, answered)
        earlier = await self._transcripts.get(call.id)
        if earlier is not None and earlier.recognition_id == recognition_id:
            return earlier
        transcript = self._made(call, facts, recognition_id, recognition)
        await self._transcripts.put(transcript)
        return transcript

    def slots(self, seconds: float) -> int:
        """How many of the provider's slots a recording of this length takes."""
        return self._speech.slots(seconds)

    async def get(self, call_id: str) -> Transcript:
        """The stored transcript. Raises NotFoundError."""
        transcript = await self._transcripts.get(call_id)
        if transcript is None:
            raise NotFoundError("У звонка нет расшифровки: запустите транскрибацию")
        return transcript

    async def swap_roles(self, call_id: str) -> Transcript:
        """Exchange administrator and patient; costs no recognition. Raises NotFoundError."""
        swapped = speakers.swap_roles(await self.get(call_id))
        await self._transcripts.put(swapped)
        return swapped

    async def awaiting_decision(self) -> AsyncIterator[Payment]:
        """Recognitions whose answer was lost and that wait for a person, oldest first."""
        async for payment in self.payments.held():
            if payment.is_held(self._repeats):
                yield payment

    async def delete(self, call_id: str) -> None:
        """Remove a call's transcript (erasure); the ledger keeps no words."""
        await self._transcripts.delete(call_id)

    def _made(
        self, call: Call, facts: MeasuredAudio, recognition_id: str, recognition: Recognition
    ) -> Transcript:
        spoken = turns(recognition.words)
        roles = speakers.assign_roles(spoken, call.direction)
        return Transcript(
            call_id=call.id,
            client_id=call.client_id,
            recognition_id=recognition_id,
            utterances=speakers.with_roles(spoken, roles),
            roles_confidence=roles.confidence,
            roles_source=roles.source,
            language=recognition.language,
            model=recognition.model,
            seconds=facts.seconds,
            transcribed_at=self._clock(),
        )


def _channels(facts: MeasuredAudio) -> int:
    """Two for true stereo that the provider accepts channel by channel, else one."""
    return 2 if facts.distinct_channels and facts.seconds <= LONGEST_BY_CHANNEL_SECONDS else 1


def _upload_name(facts: MeasuredAudio) -> str:
    """The provider learns the format, not the patient's number or our ids."""
    otherwise = "wav" if facts.codec.startswith("pcm_") else "bin"
    return f"recording.{_EXTENSIONS.get(facts.codec, otherwise)}"


_EXTENSIONS = {
    "mp3": "mp3",
    "mp3float": "mp3",
    "aac": "m4a",
    "opus": "ogg",
    "vorbis": "ogg",
    "flac": "flac",
}
