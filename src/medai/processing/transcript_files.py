"""Transcripts as the text files people know: listed, searched, read (contract 1.2)."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from medai.calls.models import Call
from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository
from medai.errors import InvalidInputError, NotFoundError
from medai.infra.documents import OneOf, Range
from medai.kit.chunks import chunks
from medai.kit.days import zone
from medai.kit.phones import comparable, digits
from medai.processing.links import SignedLinks
from medai.transcription.formats import transcript_text
from medai.transcription.repository import TranscriptRepository

PREVIEW = 500
"""Characters of a file in a list."""
MOST_EXAMINED = 5_000
"""Transcripts that one search reads: about a second of work."""
_AT_ONCE = 100
_LARGEST_NUMBER = 2**63 - 1
_DEFAULT_ZONE = "Europe/Moscow"
_DATE_LENGTH = len("2026-11-19")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """A transcript as a file; `size` in bytes of UTF-8, `created_at` aware UTC."""

    filename: str
    size: int
    created_at: datetime
    phone: str
    note_id: int | str
    preview: str
    url: str


@dataclass(frozen=True, slots=True)
class TranscriptSearch:
    """What to look for; empty fields do not narrow. Moments are aware, `before` is excluded."""

    client_id: str | None = None
    text: str = ""
    phone: str = ""
    note_id: str = ""
    since: datetime | None = None
    before: datetime | None = None


@dataclass(slots=True)
class Found:
    """Files in order of making, newest first; `is_whole`: nothing that fits was left unread."""

    files: list[TranscriptFile] = field(default_factory=list)
    examined: int = 0
    is_whole: bool = True


class TranscriptFiles:
    """Makes the files from stored transcripts: they are nowhere kept as text. Raises StoreError."""

    def __init__(
        self,
        calls: CallRepository,
        clinics: ClinicRepository,
        transcripts: TranscriptRepository,
        links: SignedLinks,
    ) -> None:
        self._calls = calls
        self._clinics = clinics
        self._transcripts = transcripts
        self._links = links

    async def zone(self, client_id: str | None) -> ZoneInfo:
        """The clinic's zone, the usual one for all clinics or an unknown one."""
        clinic = await self._clinics.by_client_id(client_id) if client_id else None
        return zone(clinic.timezone if clinic else _DEFAULT_ZONE)

    async def text_of(self, call: Call) -> str:
        """The whole file. Raises NotFoundError."""
        transcript = await self._transcripts.get(call.id)
        if transcript is None:
            raise NotFoundError("У звонка нет расшифровки: запустите транскрибацию")
        return transcript_text(transcript, call, tz=await self.zone(call.client_id))

    async def of_note(self, client_id: str, note_id: str) -> Call | None:
        """The clinic's transcribed call behind a CRM note, or None."""
        found = await self._calls.of_notes(client_id, _note_forms(note_id))
        return next((call for call in found.values() if call.transcript), None)

    async def newest(self, client_id: str | None, *, limit: int, offset: int) -> Found:
        """The files without looking for anything."""
        found = Found()
        ids = await self._ids(_filter(TranscriptSearch(client_id)), offset + limit)
        async for one, _ in self._files(ids[offset:]):
            found.files.append(one)
        found.examined = len(found.files)
        found.is_whole = len(ids) < offset + limit
        return found

    async def search(self, wanted: TranscriptSearch, *, limit: int) -> Found:
        """The files that fit, at most `limit`."""
        found, words = Found(), wanted.text.casefold()
        ids = await self._ids(_filter(wanted), MOST_EXAMINED)
        found.is_whole = len(ids) < MOST_EXAMINED
        async with aclosing(self._files(ids)) as files:
            async for one, text in files:
                found.examined += 1
                if words in text.casefold() or words in one.filename.casefold():
                    found.files.append(one)
                if len(found.files) == limit:
                    found.is_whole = found.is_whole and found.examined == len(ids)
                    break
        return found

    async def _ids(self, where: dict[str, Any], limit: int) -> list[str]:
        # Only ids are kept, so that no connection is held while transcripts are read.
        return [call.id async for call in self._calls.newest_transcribed(where, limit=limit)]

    async def _files(self, ids: Sequence[str]) -> AsyncGenerator[tuple[TranscriptFile, str], None]:
        zones: dict[str, ZoneInfo] = {}
        for part in chunks(ids, _AT_ONCE):
            calls = await self._calls.of_ids(part)
            transcripts = await self._transcripts.of_calls(part)
            for call_id in part:
                call, transcript = calls.get(call_id), transcripts.get(call_id)
                if call is None or transcript is None:
                    continue
                if call.client_id not in zones:
                    zones[call.client_id] = await self.zone(call.client_id)
                text = transcript_text(transcript, call, tz=zones[call.client_id])
                yield self._file(call, text), text

    def _file(self, call: Call, text: str) -> TranscriptFile:
        summary = call.transcript
        if summary is None:
            raise ValueError("only calls with a transcript were asked for")
        return TranscriptFile(
            filename=summary.filename,
            size=len(text.encode()),
            created_at=summary.transcribed_at,
            phone=call.phone,
            note_id=call.note_id,
            preview=text[:PREVIEW],
            url=self._links.transcript_url(call),
        )


def search_moments(first: str, last: str, tz: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """[since, before) of two ISO dates or moments, both included; empty leaves a side open.

    Naive ones are of the zone. Raises InvalidInputError.
    """
    since, before = _moment(first, tz), _moment(last, tz)
    if before is not None:
        before += timedelta(days=1) if len(last.strip()) == _DATE_LENGTH else timedelta(seconds=1)
    if since and before and since >= before:
        raise InvalidInputError("Дата начала позже даты окончания: поменяйте их местами")
    return since, before


def _moment(text: str, tz: ZoneInfo) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        shown = " ".join(text.split())[:20]
        raise InvalidInputError(f"Неверная дата «{shown}»: укажите ГГГГ-ММ-ДД или ГГГГ-ММ-ДДTЧЧ:ММ")
    return (moment if moment.tzinfo else moment.replace(tzinfo=tz)).astimezone(UTC)


def _filter(wanted: TranscriptSearch) -> dict[str, Any]:
    """What the store can tell by itself."""
    where: dict[str, Any] = {}
    if wanted.client_id is not None:
        where["client_id"] = wanted.client_id
    if wanted.note_id:
        where["note_id"] = OneOf(tuple(_note_forms(wanted.note_id)))
    if wanted.phone:
        where["phone"] = OneOf(tuple(_phone_forms(wanted.phone)))
    if wanted.since or wanted.before:
        where["transcript.transcribed_at"] = Range(at_least=wanted.since, below=wanted.before)
    return where


def _note_forms(note_id: str) -> list[int | str]:
    is_number = note_id.isascii() and note_id.isdigit() and int(note_id) <= _LARGEST_NUMBER
    return [note_id, int(note_id)] if is_number else [note_id]


def _phone_forms(phone: str) -> list[str]:
    """The forms in which telephony writes one number."""
    number = comparable(phone)
    forms = {phone, digits(phone), f"+{digits(phone)}"}
    return sorted(forms | {f"{prefix}{number}" for prefix in ("", "7", "8", "+7", "+8")})
