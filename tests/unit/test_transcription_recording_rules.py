import pytest

from medai.transcription.models import Role, Utterance
from medai.transcription.recording_rules import (
    far_shorter,
    is_announcement,
    is_partial,
    recording_unavailable,
)


def said(*texts: str) -> tuple[Utterance, ...]:
    return tuple(
        Utterance(speaker="speaker_0", role=Role.PATIENT, start_ms=0, end_ms=1, text=text)
        for text in texts
    )


@pytest.mark.parametrize(
    "text",
    [
        "Запись разговора недоступна.",
        "К сожалению, запись этого звонка ещё не готова, попробуйте позже.",
        "Файл записи не найден.",
        "Срок хранения записи истёк.",
    ],
)
def test_pbx_announcements_are_recognised(text: str) -> None:
    assert is_announcement(said(text))
    assert recording_unavailable(said(text), audio_seconds=4, crm_seconds=5)


def test_a_talk_that_mentions_a_missing_record_is_a_talk() -> None:
    talk = said("Здравствуйте, запись не найдена в журнале.", "слово " * 60)
    assert not is_announcement(talk)
    assert not is_announcement(said("Запись к врачу есть на завтра, приходите."))


def test_a_file_that_cannot_hold_the_call() -> None:
    assert far_shorter(4.0, 120)
    assert not far_shorter(60.0, 120)
    assert not far_shorter(1.0, 15)
    assert recording_unavailable(said("бип"), audio_seconds=2, crm_seconds=120)
    assert not recording_unavailable(said("слово " * 30), audio_seconds=20, crm_seconds=120)


@pytest.mark.parametrize(
    ("audio", "crm", "partial"),
    [(35.0, 70, True), (55.9, 70, True), (56.0, 70, False), (70.2, 70, False), (5.0, 19, False)],
)
def test_a_file_that_lacks_a_good_part_of_the_call(audio: float, crm: int, partial: bool) -> None:
    assert is_partial(audio, crm) is partial
