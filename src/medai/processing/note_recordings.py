"""The recording behind a CRM note, given out to a person: our copy, else the PBX's (contract 1.5).

Nothing is fetched but what the clinic's own CRM names, through the pipeline's fetcher (public
addresses only, size and time caps), and nothing is given out that is no audio: a link that leads
to a page of somebody's network shows none of it.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from medai.calls.models import Call
from medai.calls.repository import CallRepository
from medai.clinics.models import Clinic
from medai.crm.lookups import CardLookups, has_recording
from medai.crm.ports import CallNote
from medai.errors import NotFoundError
from medai.infra.files import Files
from medai.integrations.recordings.fetch import RecordingFetcher
from medai.kit.ids import call_id
from medai.processing.links import SignedLinks
from medai.processing.recordings import checked_audio, extension_of


@dataclass(frozen=True, slots=True)
class NoteRecording:
    """Audio on its way to a person. `call_id` is what the access log names."""

    call_id: str
    note_id: int
    extension: str
    size_bytes: int
    chunks: AsyncIterator[bytes]


class NoteRecordings:
    """Finds and opens recordings. Methods raise NotFoundError, RecordingError, the ProviderError
    family and StoreError."""

    def __init__(
        self,
        lookups: CardLookups,
        calls: CallRepository,
        files: Files,
        fetcher: RecordingFetcher,
        links: SignedLinks,
    ) -> None:
        self._lookups = lookups
        self._calls = calls
        self._files = files
        self._fetcher = fetcher
        self._links = links

    def promised(self, call: Call, filename: str) -> tuple[str, str]:
        """Signed addresses where the call's recording and transcript are, or will be."""
        return self._links.audio_url(call), self._links.file_url(call, filename)

    async def links(self, clinic: Clinic, notes: Iterable[CallNote]) -> dict[int, str]:
        """Signed addresses of our copies, by note id; notes without a copy are left out."""
        ids = [note.note_id for note in notes]
        stored = await self._calls.of_notes(clinic.client_id, ids)
        found = {i: self._links.recording_url(stored[i]) for i in ids if i in stored}
        return {note_id: url for note_id, url in found.items() if url}

    async def of_note(
        self, clinic: Clinic, note_id: int, *, lead_id: int | None = None
    ) -> NoteRecording:
        """The recording of one call, on this lead if one is named."""
        call = await self._stored(clinic, note_id, lead_id)
        if call is not None and (kept := await self._kept(call, note_id)):
            return kept
        note = await self._lookups.call_note(clinic, note_id, lead_id=lead_id)
        if not note.link or not has_recording(note):
            raise NotFoundError(f"В примечании {note_id} нет ссылки на запись: её даёт телефония")
        return await self._fetched(clinic, call, note_id, note.link)

    async def newest_of_lead(self, clinic: Clinic, lead_id: int) -> NoteRecording:
        """The recording of the lead's newest call that has one."""
        notes = await self._lookups.notes_of_lead(clinic, lead_id)
        found = next((note for note in notes.calls if has_recording(note)), None)
        if found is None:
            raise NotFoundError(f"У сделки {lead_id} нет записей звонков")
        return await self._of(clinic, found.note_id, found.link or "")

    async def newest_of_contact(self, clinic: Clinic, contact_id: int) -> NoteRecording:
        """The recording of the contact's newest call that has one."""
        calls = await self._lookups.calls_of_contact(clinic, contact_id)
        return await self._of(clinic, calls[0].note.note_id, calls[0].note.link or "")

    async def _of(self, clinic: Clinic, note_id: int, link: str) -> NoteRecording:
        call = await self._stored(clinic, note_id, None)
        kept = await self._kept(call, note_id) if call else None
        return kept or await self._fetched(clinic, call, note_id, link)

    async def _stored(self, clinic: Clinic, note_id: int, lead_id: int | None) -> Call | None:
        """Our call behind the note, if its note is on the named lead."""
        call = (await self._calls.of_notes(clinic.client_id, [note_id])).get(note_id)
        if call is None or lead_id is None:
            return call
        return call if (call.collection, call.entity_id) == ("leads", lead_id) else None

    async def _kept(self, call: Call, note_id: int) -> NoteRecording | None:
        if call.audio is None or not await self._files.exists(call.audio.file):
            return None
        name = call.audio.file
        return NoteRecording(
            call_id=call.id,
            note_id=note_id,
            extension=name.rpartition(".")[2],
            size_bytes=await self._files.size(name),
            chunks=self._files.stream(name),
        )

    async def _fetched(
        self, clinic: Clinic, call: Call | None, note_id: int, link: str
    ) -> NoteRecording:
        data = (await self._fetcher.fetch(link)).data
        facts = await checked_audio(data, crm_seconds=0)
        return NoteRecording(
            call_id=call.id if call else call_id(clinic.client_id, note_id),
            note_id=note_id,
            extension=extension_of(facts),
            size_bytes=len(data),
            chunks=_whole(data),
        )


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data
