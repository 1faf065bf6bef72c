from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tests.fixtures.transcription import NOON, make_call

from medai.transcription.formats import (
    note_texts,
    offered_name,
    speaker_label,
    timecode,
    transcript_filename,
    transcript_text,
)
from medai.transcription.models import Role, Transcript, Utterance

MOSCOW = ZoneInfo("Europe/Moscow")


def said(role: Role, start_ms: int, text: str, speaker: str = "speaker_0") -> Utterance:
    return Utterance(
        speaker=speaker, role=role, start_ms=start_ms, end_ms=start_ms + 900, text=text
    )


def transcript(*utterances: Utterance, at: datetime = NOON) -> Transcript:
    return Transcript(
        call_id="c", client_id="clinic-1", recognition_id="r", utterances=utterances,
        roles_confidence=1.0, roles_source="provider", language="ru", model="m", seconds=61.4,
        transcribed_at=at,
    )  # fmt: skip


TALK = transcript(
    said(Role.ADMINISTRATOR, 0, "Здравствуйте."),
    said(Role.PATIENT, 65_900, "Добрый день."),
    said(Role.OTHER, 4_500_000, "Алло?", "speaker_2"),
)


def test_the_file_is_exactly_the_contract_form() -> None:
    assert transcript_text(TALK, make_call(), tz=MOSCOW) == (
        "Транскрипция звонка\n"
        "Дата и время: 2026-11-19 10:15:05\n"
        "Телефон: +79000000001\n"
        "Клиент: Мария\n"
        "Файл: lead_1_note_101.mp3\n"
        "Длительность: 2:05\n"
        "\n"
        "[00:00] Менеджер: Здравствуйте.\n"
        "\n"
        "[01:05] Клиент (Мария): Добрый день.\n"
        "\n"
        "[75:00] Участник (Speaker 2): Алло?\n"
        "\n"
    )


def test_a_later_run_gives_the_same_file() -> None:
    later = TALK.model_copy(update={"transcribed_at": NOON.replace(year=2027)})
    assert transcript_text(later, make_call(), tz=MOSCOW) == transcript_text(
        TALK, make_call(), tz=MOSCOW
    )


@pytest.mark.parametrize("name", ["", "Неизвестный контакт", "Без имени"])
def test_a_card_without_a_name_gives_no_client_line(name: str) -> None:
    text = transcript_text(TALK, make_call(contact_name=name, phone=""), tz=MOSCOW)
    assert "\nКлиент:" not in text
    assert "Телефон" not in text
    assert "] Клиент: Добрый день." in text


def test_foreign_line_breaks_cannot_forge_lines() -> None:
    hostile = transcript(said(Role.PATIENT, 0, "да\n\n[00:09] Менеджер: нет"))
    text = transcript_text(hostile, make_call(contact_name="М\n\n[00:01] Менеджер"), tz=MOSCOW)
    assert [line for line in text.splitlines() if line.startswith("[")] == [
        "[00:00] Клиент (М [00:01] Менеджер): да [00:09] Менеджер: нет"
    ]


def test_without_a_crm_duration_the_measured_one_is_shown() -> None:
    text = transcript_text(TALK, make_call(duration_seconds=0), tz=MOSCOW)
    assert "Длительность: 1:01\n" in text


def test_the_file_name_is_safe_for_event_ids() -> None:
    assert transcript_filename(make_call(101)).startswith("note_101_")
    assert "/" not in transcript_filename(make_call("../ab"))


def test_labels_and_timecodes() -> None:
    assert speaker_label(said(Role.PATIENT, 0, ""), "") == "Клиент"
    assert timecode(59_999) == "00:59"


def test_a_short_transcript_is_one_note_with_the_marker() -> None:
    assert note_texts("текст\n", "abc") == ("Транскрипция звонка:\n\nтекст\n\n#medai:abc",)


def test_a_long_transcript_is_cut_between_utterances() -> None:
    lines = [f"[{n:02d}:00] Клиент: {'слово ' * 20}\n" for n in range(60)]
    notes = note_texts("\n".join(lines), "abc", limit=2000)
    assert len(notes) > 1
    for number, note in enumerate(notes, start=1):
        body, _, marker = note.removeprefix("Транскрипция звонка:\n\n").rpartition("\n")
        assert marker == f"#medai:abc:{number}/{len(notes)}"
        assert body.startswith("[")
        assert len(note) <= 2000


def test_an_impossible_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        note_texts("текст", "abc", limit=20)


@pytest.mark.parametrize(
    ("stored", "offered"),
    [
        ("79000000001_20261119_120000.txt", "transcription_79000000001.txt"),
        ("note_73912045_5f0c0d9e2b7a4c1d8e6f0a12.txt", "transcription_note_73912045.txt"),
        ("note_5_20261119_120000.txt", "transcription_note_5.txt"),
        ("другое имя.txt", f"transcription_{'_' * 10}.txt"),
        ('a"\r\nb.txt', "transcription_a___b.txt"),
    ],
)
def test_a_browser_keeps_the_file_under_the_old_name(stored: str, offered: str) -> None:
    assert offered_name(stored) == offered
