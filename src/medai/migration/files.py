"""Old files brought in: transcripts (paid once, never again), analyses, recordings, reports.

Runs as often as wanted: a call remembers what it has, and files that are not there yet may come
later.
"""

import asyncio
import hashlib
import re
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from medai.analysis.old_files import OldAnalyses, OldAnalysis
from medai.calls.models import Audio, Call, Stage, Step, TranscriptSummary
from medai.calls.repository import CALLS, CallRepository, from_document
from medai.errors import RecordingError
from medai.infra.documents import Change, Document, Documents, Not
from medai.infra.files import Files
from medai.integrations.recordings.probe import AudioFacts, probe_async
from medai.kit.ids import stable_id
from medai.kit.text import clean
from medai.migration.folder import MEGABYTE, OldFolder, is_base_name
from medai.migration.life import OLD_SPEECH_MODEL, left_undone, made_at, reached
from medai.migration.report import FilesTally
from medai.migration.transcript_text import utterances_of
from medai.reports.service import FOLDER as REPORTS
from medai.transcription.models import Transcript
from medai.transcription.repository import TranscriptRepository

_LARGEST_TEXT = 5 * MEGABYTE
_LARGEST_AUDIO = 200 * MEGABYTE
_LARGEST_REPORT = 100 * MEGABYTE
_REPORT = re.compile(r"[A-Za-z0-9_.-]{1,115}\.(pdf|xlsx)")


@dataclass(frozen=True, slots=True)
class OldFiles:
    """Brings the files of a folder in. Raises StoreError."""

    folder: OldFolder
    documents: Documents
    files: Files
    now: datetime

    async def bring(self) -> FilesTally:
        """Everything that calls name and that is there, then reports."""
        tally = FilesTally()
        found = self.documents.find(CALLS, {"legacy": Not(None)}, sort=(("_id", 1),))
        async with aclosing(found) as documents:
            async for document in documents:
                legacy: Document = document["legacy"]
                call = from_document(document)
                call = await self._transcript(call, legacy, tally)
                await self._audio(call, legacy, tally)
                await self._analysis(call, legacy, tally)
        await self._reports(tally)
        return tally

    async def _transcript(self, call: Call, legacy: Document, tally: FilesTally) -> Call:
        name = legacy.get("filename_transcription")
        if not name:
            return call
        if call.transcript and call.transcript.utterances:
            tally.count(tally.present, "transcript")
            return call
        data = await self._read("transcript", call.id, name, _LARGEST_TEXT, tally)
        if data is None:
            return call
        said = utterances_of(data.decode("utf-8-sig", errors="replace"), call.duration_seconds)
        if not said:
            tally.note("file_is_no_transcript", call.id)
            return call
        at = made_at(name) or call.updated_at
        transcript = Transcript(
            call_id=call.id,
            client_id=call.client_id,
            recognition_id=stable_id("old-transcript", call.id),
            utterances=said,
            roles_confidence=1.0,
            roles_source="phrases",
            language="ru",
            model=OLD_SPEECH_MODEL,
            seconds=float(call.duration_seconds),
            transcribed_at=at,
        )
        await TranscriptRepository(self.documents).put(transcript)
        summary = TranscriptSummary(
            filename=name,
            model=OLD_SPEECH_MODEL,
            seconds=transcript.seconds,
            utterances=len(said),
            roles_confidence=transcript.roles_confidence,
            transcribed_at=at,
        )
        tally.count(tally.brought, "transcript")
        return await self._with_transcript(call, summary, tally)

    async def _with_transcript(
        self, call: Call, summary: TranscriptSummary, tally: FilesTally
    ) -> Call:
        """A call that the old system did not mark may have been paid all the same."""
        changed = call.model_copy(update={"transcript": summary})
        fields: Document = {"transcript": summary.model_dump()}
        if call.transcript is None:
            tally.note("transcript_without_mark", call.id)
            left = left_undone(changed, self.now)
            changed = changed.model_copy(update={"stage": reached(changed), "failures": left})
            fields |= {
                "stage": changed.stage.value,
                "failures": {step: one.model_dump() for step, one in left.items()},
                "transcription_requested_at": summary.transcribed_at,
            }
        await CallRepository(self.documents).change(call.id, fields)
        return changed

    async def _audio(self, call: Call, legacy: Document, tally: FilesTally) -> None:
        name = legacy.get("filename_audio")
        if not name:
            return
        if call.audio is not None:
            tally.count(tally.present, "audio")
            return
        data = await self._read("audio", call.id, name, _LARGEST_AUDIO, tally)
        if data is None:
            return
        facts = await self._facts(call, data)
        if facts is None:
            tally.note("file_is_no_audio", call.id)
            return
        audio = Audio(
            file=f"audio/{name}",
            sha256=hashlib.sha256(data).hexdigest(),
            seconds=facts.seconds,
            channels=facts.channels,
            distinct_channels=facts.distinct_channels,
            codec=facts.codec,
            size_bytes=len(data),
        )
        await self.files.write(audio.file, data)
        fields: Document = {"audio": audio.model_dump()}
        if call.stage in (Stage.DISCOVERED, Stage.RECORDED):
            fields["stage"] = Stage.AUDIO_STORED.value
            fields["failures"] = _of_transcription(call)
        await CallRepository(self.documents).change(call.id, fields)
        tally.count(tally.brought, "audio")

    async def _facts(self, call: Call, data: bytes) -> AudioFacts | None:
        """Measured where it will be recognised; a transcribed call's is only listened to."""
        if call.transcript is not None:
            return AudioFacts(float(call.duration_seconds), 1, "mp3", distinct_channels=False)
        try:
            return await probe_async(data)
        except RecordingError:
            return None

    async def _analysis(self, call: Call, legacy: Document, tally: FilesTally) -> None:
        name = legacy.get("analysis_file")
        if not name:
            return
        if legacy.get("analysis_is_kept"):
            tally.count(tally.present, "analysis")
            return
        data = await self._read("analysis", call.id, name, _LARGEST_TEXT, tally)
        if data is None:
            return
        text = clean(data.decode("utf-8-sig", errors="replace"))
        file = OldAnalysis(call_id=call.id, client_id=call.client_id, name=name, text=text)
        await OldAnalyses(self.documents).put(file)
        kept = Change(set={"legacy.analysis_is_kept": True})
        await self.documents.update(CALLS, call.id, kept)
        tally.count(tally.brought, "analysis")

    async def _reports(self, tally: FilesTally) -> None:
        for name in await asyncio.to_thread(lambda: list(self.folder.names("report"))):
            if not _REPORT.fullmatch(name):
                continue
            if await self.files.exists(f"{REPORTS}/{name}"):
                tally.count(tally.present, "report")
            elif data := await asyncio.to_thread(self.folder.read, "report", name, _LARGEST_REPORT):
                await self.files.write(f"{REPORTS}/{name}", data)
                tally.count(tally.brought, "report")

    async def _read(
        self, kind: str, call_id: str, name: str, most: int, tally: FilesTally
    ) -> bytes | None:
        if not is_base_name(name):
            tally.note("unsafe_file_name", call_id)
            return None
        data = await asyncio.to_thread(self.folder.read, kind, name, most)
        if not data:
            tally.count(tally.missing, kind)
        return data or None


def _of_transcription(call: Call) -> Document:
    """A call that failed goes on failing where it stands now, until a person asks."""
    return {
        Step.TRANSCRIPTION if step is Step.RECORDING else step: failure.model_dump()
        for step, failure in call.failures.items()
    }
