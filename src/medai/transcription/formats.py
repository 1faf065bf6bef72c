"""The transcript as people read it: the text file and the CRM notes (contract 5.5, 6). Pure."""

import re
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from medai.calls.models import Call
from medai.kit.text import clean
from medai.transcription.models import Role, Transcript, Utterance

NOTE_LIMIT = 20_000
"""Characters in one amoCRM note; one more is refused (amocrm.md 4.3)."""

NOTE_PREFIX = "Транскрипция звонка:\n\n"
MARKER = "#medai:"
_MARKER_ROOM = len(":9999/9999")
_NAMELESS = {"", "Неизвестный контакт", "Без имени"}
"""What the CRM import writes when a card has no name (contract 2.1)."""

_NO_PHONE = {"", "Неизвестно"}

_PHONE_FILE = re.compile(r"(\d+)_\d{8}_\d{6}\.txt", re.ASCII)
_NOTE_FILE = re.compile(r"note_([A-Za-z0-9-]+)_.*\.txt", re.ASCII)


def transcript_filename(call: Call) -> str:
    """`note_{note_id}_{call_id}.txt` (contract 2.3), safe as a file name."""
    note_id = re.sub(r"[^A-Za-z0-9_-]", "_", str(call.note_id))
    return f"note_{note_id}_{call.id}.txt"


def offered_name(filename: str) -> str:
    """Under which name a browser keeps the file (contract 1.2): `transcription_{phone}.txt` for
    `{phone}_{date}_{time}.txt`, `transcription_note_{id}.txt` for `note_{id}_….txt`."""
    if found := _NOTE_FILE.fullmatch(filename):
        return f"transcription_note_{found[1]}.txt"
    if found := _PHONE_FILE.fullmatch(filename):
        return f"transcription_{found[1]}.txt"
    return f"transcription_{re.sub('[^A-Za-z0-9_.-]', '_', filename.removesuffix('.txt'))}.txt"


def transcript_text(
    transcript: Transcript, call: Call, *, tz: ZoneInfo, audio_name: str | None = None
) -> str:
    """The whole text file. Its clock is the call's local start, so every run gives one text.

    `audio_name` is the name of the recording that people see; by default that of the stored file.
    """
    name = audio_name or (call.audio.file.rpartition("/")[2] if call.audio else "")
    contact = contact_name(call)
    seconds = call.duration_seconds or round(transcript.seconds)
    head = [
        "Транскрипция звонка",
        f"Дата и время: {call.started_at.astimezone(tz):%Y-%m-%d %H:%M:%S}",
        *([f"Телефон: {_line(call.phone)}"] if call.phone not in _NO_PHONE else []),
        *([f"Клиент: {contact}"] if contact else []),
        f"Файл: {_line(name)}",
        f"Длительность: {seconds // 60}:{seconds % 60:02d}",
        "",
    ]
    spoken = (
        f"[{timecode(one.start_ms)}] {speaker_label(one, contact)}: {_line(one.text)}\n\n"
        for one in transcript.utterances
    )
    return "".join((*(f"{line}\n" for line in head), *spoken))


def contact_name(call: Call) -> str:
    """The patient's name on the CRM card as one line, empty when the card has none."""
    name = _line(call.contact_name)
    return "" if name in _NAMELESS else name


def speaker_label(utterance: Utterance, contact: str) -> str:
    """`Менеджер`, `Клиент (<name>)` or `Клиент`, `Участник (Speaker N)` (contract 5.4)."""
    if utterance.role is Role.ADMINISTRATOR:
        return "Менеджер"
    if utterance.role is Role.PATIENT:
        return f"Клиент ({contact})" if contact else "Клиент"
    number = re.search(r"\d+$", utterance.speaker)
    return f"Участник (Speaker {number[0] if number else 0})"


def timecode(milliseconds: int) -> str:
    """MM:SS; minutes go on above 59."""
    seconds = timedelta(milliseconds=milliseconds) // timedelta(seconds=1)
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def marker(call_id: str) -> str:
    """What our notes of a call contain, for finding them after an unknown outcome."""
    return f"{MARKER}{call_id}"


def note_texts(transcript_text: str, call_id: str, limit: int = NOTE_LIMIT) -> tuple[str, ...]:
    """The texts of the CRM notes, each at most `limit` characters long.

    Each is the prefix, a part of the transcript and a last line with the marker `#medai:<call>`,
    with `:2/3` when there are parts. Parts are cut between utterances (a longer utterance is cut
    inside) and together are exactly the transcript. Raises ValueError for an impossible limit.
    """
    room = limit - len(NOTE_PREFIX) - len("\n") - len(marker(call_id)) - _MARKER_ROOM
    if room < 1:
        raise ValueError("the limit leaves no room for text")
    parts = list(_parts(transcript_text, room))
    ends = (
        [marker(call_id)]
        if len(parts) == 1
        else [f"{marker(call_id)}:{number}/{len(parts)}" for number in range(1, len(parts) + 1)]
    )
    return tuple(f"{NOTE_PREFIX}{part}\n{end}" for part, end in zip(parts, ends, strict=True))


def _parts(text: str, room: int) -> Iterator[str]:
    part = ""
    for block in _blocks(text, room):
        if len(part) + len(block) > room:
            yield part
            part = ""
        part += block
    yield part


def _blocks(text: str, room: int) -> Iterator[str]:
    """Paragraphs with the blank line behind them, none longer than `room`."""
    for paragraph in re.findall(r"(?s).+?(?:\n\n|\Z)", text):
        for start in range(0, len(paragraph), room):
            yield paragraph[start : start + room]


def _line(text: str) -> str:
    """One line: foreign line breaks would forge lines of the file."""
    return " ".join(clean(text).split())
