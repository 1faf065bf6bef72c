"""Recordings from disk, without a CRM: the same checks, minutes and scores as any call."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from medai.calls.models import Call, Direction, Stage
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.crm.registration import ClinicRegistration
from medai.infra.files import Files
from medai.kit.clock import Clock
from medai.kit.days import business_day, zone
from medai.kit.ids import call_id
from medai.kit.phones import digits
from medai.processing.recordings import checked_audio, stored_audio

_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class OwnRecording:
    """An audio file with what its owner says about it. `at` is aware."""

    name: str
    data: bytes
    phone: str
    direction: Direction
    at: datetime


class OwnRecordings:
    """Turns audio files into calls of a named clinic."""

    def __init__(
        self,
        registration: ClinicRegistration,
        calls: CallRepository,
        files: Files,
        clock: Clock,
    ) -> None:
        self._registration = registration
        self._calls = calls
        self._files = files
        self._clock = clock

    async def clinic(self, name: str) -> Clinic:
        """The clinic without a CRM of this name, created at first use."""
        return await self._registration.local(name)

    async def accept(self, clinic: Clinic, recording: OwnRecording) -> Call:
        """The call behind the file, its audio stored and wanted; the same file is one call.

        Raises RecordingError when the file is no usable audio.
        """
        note_id = f"file-{hashlib.sha256(recording.data).hexdigest()[:_HASH_DIGITS]}"
        known = await self._calls.get(call_id(clinic.client_id, note_id))
        if known is not None:
            return known
        facts = await checked_audio(recording.data, crm_seconds=0)
        now = self._clock()
        fresh_id = call_id(clinic.client_id, note_id)
        call = Call(
            id=fresh_id,
            client_id=clinic.client_id,
            subdomain=clinic.subdomain,
            note_id=note_id,
            origin="file",
            direction=recording.direction,
            duration_seconds=round(facts.seconds),
            phone=digits(recording.phone),
            started_at=recording.at,
            business_day=business_day(recording.at, zone(clinic.timezone)),
            stage=Stage.AUDIO_STORED,
            audio=await stored_audio(self._files, fresh_id, recording.data, facts),
            transcription_requested_at=now,
            analysis_requested_at=now,
            stored_at=now,
            updated_at=now,
        )
        await self._calls.insert(call)
        return call
