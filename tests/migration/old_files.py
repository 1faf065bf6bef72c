"""The old `app/data` of a dump: some files of every kind, and some that must not come in."""

import io
import math
import struct
import wave
from dataclasses import dataclass
from pathlib import Path

from tests.migration.old_dump import Doc, Dump, Truth

SOUND = b"ID3" + bytes(range(256)) * 20
REPORT = "call_report_01_09_2026-07_09_2026.pdf"
SECRET = "never to be read"


@dataclass(frozen=True, slots=True)
class Placed:
    """What was put where; the documents are of the dump."""

    transcribed: list[Truth]
    analysed: list[tuple[Truth, str]]
    recorded: list[tuple[Truth, str]]
    paid_unmarked: Truth
    unpaid: Truth
    waiting: tuple[Truth, str]
    unsafe: Truth


def place_files(root: Path, dump: Dump) -> Placed:
    """Write the folder; changes file names of a few documents of the dump."""
    for name in ("audio", "transcription", "analysis", "reports"):
        (root / name).mkdir(parents=True)
    truths = list(dump.calls.values())
    documents = _richest(dump)
    done = [t for t in truths if t.transcript_file and t.type_id in (1, 2, 3, 4)]
    done = [t for t in done if t.client_id in [d["client_id"] for d in dump.collections["clinics"]
            if "client_id" in d]]  # fmt: skip
    stuck = [t for t in truths if documents[t.call_id].get("transcription_status") == "processing"]
    failed = [t for t in truths if t.status == "failed"]
    for truth in [*done[:30], stuck[0]]:
        name = documents[truth.call_id]["filename_transcription"]
        (root / "transcription" / name).write_text(transcript(truth), encoding="utf-8")
    broken = documents[stuck[1].call_id]["filename_transcription"]
    (root / "transcription" / broken).write_text("Ошибка: STT 500", encoding="utf-8")
    (root / "secret.txt").write_text(transcript(done[30]).replace("Здрав", SECRET), "utf-8")
    documents[done[30].call_id]["filename_transcription"] = "../secret.txt"
    done[30].transcript_file = "../secret.txt"
    for truth in done[:5]:
        (root / "audio" / documents[truth.call_id]["filename_audio"]).write_bytes(SOUND)
        (root / "analysis" / _analysis(documents[truth.call_id])).write_text(
            f"Анализ звонка {truth.note_id}\nКомментарий к оценке", encoding="utf-8"
        )
    documents[failed[0].call_id]["filename_audio"] = "call_77.mp3"
    (root / "audio" / "call_77.mp3").write_bytes(tone(failed[0].duration))
    (root / "reports" / REPORT).write_bytes(b"%PDF-1.4 old")
    return Placed(
        done[:30],
        [(t, _analysis(documents[t.call_id])) for t in done[:5]],
        [(t, documents[t.call_id]["filename_audio"]) for t in done[:5]],
        stuck[0], stuck[1], (failed[0], "call_77.mp3"), done[30],
    )  # fmt: skip


def transcript(truth: Truth) -> str:
    """Contract 5.5, with both forms of the manager's label."""
    return (
        "Транскрипция звонка\nДата и время: 2026-09-02 10:00:00\nТелефон: +79000000001\n"
        f"Файл: x.mp3\nДлительность: 1:00\n\n[00:00] Менеджер (Анна): Клиника, {truth.note_id}\n\n"
        "[00:04] Клиент (Пациент): Здравствуйте\nхочу записаться\n\n"
        "[01:10] Участник (Speaker 3): Кто там\n\n"
    )


def tone(seconds: int) -> bytes:
    """A WAV of this length."""
    out, rate = io.BytesIO(), 8000
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        second = b"".join(
            struct.pack("<h", int(9000 * math.sin(i / 3))) for i in range(rate)
        )  # fmt: skip
        file.writeframes(second * seconds)
    return out.getvalue()


def _richest(dump: Dump) -> dict[str, Doc]:
    """Documents by the id of their call: those with a file name where there are several."""
    found: dict[str, Doc] = {}
    for document in dump.collections["calls"]:
        known = found.get(str(document["_id"]))
        if known is None or "metrics" in document:
            found[str(document["_id"])] = document
    return found


def _analysis(document: Doc) -> str:
    name: str = document.get("analysis") or document["analysis_id"]
    return name
