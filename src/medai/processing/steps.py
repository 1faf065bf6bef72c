"""The actions behind a call's steps: each asks one or two domains and names the new facts."""

from dataclasses import dataclass
from datetime import timedelta

from medai.analysis.service import AnalysisService
from medai.calls.models import Audio, Call, Step, TranscriptSummary
from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository
from medai.crm.notes import write_transcript
from medai.errors import RecordingError
from medai.infra.files import Files
from medai.integrations.recordings.fetch import Fetched, RecordingFetcher
from medai.kit.clock import Clock
from medai.kit.days import zone
from medai.ledger.ports import Effects
from medai.limits.service import LimitService
from medai.processing.attribution import Attributor
from medai.processing.pipeline import Facts, StepAction
from medai.processing.ports import CrmAccounts, Slots
from medai.processing.recordings import checked_audio, facts_of, stored_audio
from medai.transcription.formats import note_texts, transcript_filename, transcript_text
from medai.transcription.models import Transcript
from medai.transcription.recording_rules import recording_unavailable
from medai.transcription.service import TranscriptionService

FILE_MAY_COME_LATE = timedelta(hours=6)
"""As long as the last step of the retry plan for recordings (design 5.4)."""


@dataclass(frozen=True, slots=True)
class StepParts:
    """What the steps work with."""

    calls: CallRepository
    clinics: ClinicRepository
    limits: LimitService
    files: Files
    recordings: RecordingFetcher
    transcription: TranscriptionService
    analysis: AnalysisService
    attributor: Attributor
    accounts: CrmAccounts
    speech_slots: Slots
    effects: Effects
    clock: Clock


class Steps:
    """One method per step. Each may run again for the same call and then changes nothing."""

    def __init__(self, parts: StepParts) -> None:
        self._parts = parts

    def actions(self) -> dict[Step, StepAction]:
        """The action of each step."""
        return {
            Step.RECORDING: self.fetch_recording,
            Step.TRANSCRIPTION: self.transcribe,
            Step.NOTE: self.write_note,
            Step.ANALYSIS: self.analyse,
        }

    async def fetch_recording(self, call: Call) -> Facts:
        """Download, check and store the recording. Raises RecordingError."""
        if not call.recording_url:
            raise RecordingError("В CRM нет ссылки на запись: она появится позже", final=False)
        fetched = await self._fetched(call, call.recording_url)
        checked = await checked_audio(
            fetched.data, crm_seconds=call.duration_seconds, may_grow=self._may_come_late(call)
        )
        audio = await stored_audio(self._parts.files, call.id, fetched.data, checked)
        return {"audio": audio.model_dump()}

    async def transcribe(self, call: Call) -> Facts:
        """Reserve minutes, recognise once, settle, attribute.

        Raises QuotaExceededError, the ProviderError family, RecordingError for an announcement.
        """
        audio = _audio_of(call)
        limits = self._parts.limits
        await limits.reserve(call.client_id, call.id, audio.seconds)
        transcript = await self._recognised(call, audio)
        await limits.settle(call.client_id, call.id, transcript.seconds)
        if recording_unavailable(
            transcript.utterances, audio_seconds=audio.seconds, crm_seconds=call.duration_seconds
        ):
            raise RecordingError(
                "Вместо разговора АТС отдала сообщение «запись недоступна»: проверьте АТС",
                final=True,
            )
        return await self._transcript_fields(call, transcript)

    async def write_note(self, call: Call) -> Facts:
        """Write the transcript to the card that holds the call. Raises the ProviderError family."""
        clinic = await self._parts.clinics.require(call.client_id)
        crm = await self._parts.accounts.of(clinic)
        transcript = await self._parts.transcription.get(call.id)
        text = transcript_text(transcript, call, tz=zone(clinic.timezone))
        # An attempt that failed or died may have written something: the card is read first then.
        attempted = call.note_attempted_at is not None
        if not attempted:
            await self._parts.calls.change(call.id, {"note_attempted_at": self._parts.clock()})
        note = await write_transcript(
            crm,
            self._parts.effects,
            call,
            note_texts(text, call.id),
            self._parts.clock,
            look_first=attempted,
        )
        return {"crm_note": note.model_dump()}

    async def analyse(self, call: Call) -> Facts:
        """Classify and score the call, perhaps anew. Raises the ProviderError family."""
        clinic = await self._parts.clinics.require(call.client_id)
        transcript = await self._parts.transcription.get(call.id)
        analysis = await self._parts.analysis.analyse(
            call,
            transcript,
            count_not_applicable_as_zero=clinic.count_not_applicable_as_zero,
        )
        summary = self._parts.analysis.summary(analysis)
        facts: Facts = {"analysis": summary.model_dump(), "analysis_again_at": None}
        if call.analysis is None:
            facts["first_analysed_at"] = summary.analysed_at
        return facts

    async def _fetched(self, call: Call, url: str) -> Fetched:
        try:
            return await self._parts.recordings.fetch(url)
        except RecordingError as error:
            # The PBX sends the link before the file is there (amocrm.md 11.2): "not found" is
            # believed only when the call is old enough.
            if error.final and self._may_come_late(call):
                raise RecordingError(error.message, final=False) from error
            raise

    def _may_come_late(self, call: Call) -> bool:
        return self._parts.clock() - call.started_at < FILE_MAY_COME_LATE

    async def _recognised(self, call: Call, audio: Audio) -> Transcript:
        parts = self._parts
        # Held before the intent is written: an intent must not age while it waits for its turn.
        async with parts.speech_slots.hold(parts.transcription.slots(audio.seconds)) as give_back:
            data = await parts.files.read(audio.file)
            return await parts.transcription.transcribe(
                call, data, facts_of(audio), answered=give_back
            )

    async def _transcript_fields(self, call: Call, transcript: Transcript) -> dict[str, object]:
        clinic = await self._parts.clinics.require(call.client_id)
        summary = TranscriptSummary(
            filename=transcript_filename(call),
            model=transcript.model,
            seconds=transcript.seconds,
            utterances=len(transcript.utterances),
            roles_confidence=transcript.roles_confidence,
            transcribed_at=transcript.transcribed_at,
        )
        attributed = await self._parts.attributor.fields(clinic, call, transcript)
        return {"transcript": summary.model_dump(), **attributed}


def _audio_of(call: Call) -> Audio:
    if call.audio is None:
        raise RecordingError("Запись не сохранена: повторите загрузку", final=False)
    return call.audio
