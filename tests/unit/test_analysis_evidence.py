"""A quote is proof only where the administrator said these very words."""

import pytest
from tests.fixtures.analysis import transcript

from medai.analysis.evidence import Fault, Found, Quotes
from medai.transcription.models import Role


def found(quote: str, utterance: int = 1, *lines: str, confidence: float = 1.0) -> Found:
    result = Quotes(transcript(*lines, confidence=confidence)).find(quote, utterance)
    assert isinstance(result, Found)
    return result


def fault(quote: str, utterance: int = 1, *lines: str) -> Found | Fault:
    return Quotes(transcript(*lines)).find(quote, utterance)


def test_a_quote_gets_its_role_and_its_share_of_the_time() -> None:
    result = found("меня зовут", 1, "А: Добрый день, меня зовут Алина")
    assert result.evidence.role is Role.ADMINISTRATOR
    assert result.evidence.quote == "меня зовут"
    # 26 characters in 3000 ms: the quote is characters 13 to 23 of "Добрый день, меня…"
    length = len("Добрый день, меня зовут Алина")
    assert result.evidence.start_ms == round(3000 * 13 / length)
    assert result.evidence.end_ms == round(3000 * 23 / length)


@pytest.mark.parametrize(
    "quote",
    [
        "всё ещё идёт приём",
        "все еще идет прием",
        "ВСЁ ЕЩЁ — идёт приём!!!",
        "  всё\nещё, идёт\tприём…",
        "«всё ещё идёт приём»",
        "всё ещё\u0301 идёт приём",
        "всё ещё идёт прие\u0308м",
    ],
)
def test_spelling_that_speech_does_not_have_is_no_difference(quote: str) -> None:
    result = found(quote, 1, "А: У нас всё ещё идёт приём, да.")
    assert result.evidence.quote == "всё ещё идёт приём"


@pytest.mark.parametrize(
    "quote",
    [
        "у нас идёт приём",
        "всё ещё идёт приёмы",
        "идёт ещё всё",
        "всё ещё … приём",
        "приём идёт до сих пор",
        "",
        "…",
    ],
)
def test_other_words_are_no_proof(quote: str) -> None:
    assert fault(quote, 1, "А: У нас всё ещё идёт приём, да.") is Fault.NOT_FOUND


def test_words_of_the_patient_are_no_proof() -> None:
    assert fault("болит зуб", 2) is Fault.WRONG_SPEAKER


def test_a_wrong_number_is_corrected() -> None:
    assert found("болит ли у вас", 1, "П: Алло.", "А: Болит ли у вас зуб?").utterance == 2
    assert found("меня зовут", 999).utterance == 1
    assert found("меня зовут", -5).utterance == 1


def test_of_several_places_the_named_one_counts_then_the_nearest_of_the_administrator() -> None:
    lines = ("А: Одну минуту.", "П: Одну минуту.", "П: Да.", "А: Так.", "А: Одну минуту.")
    assert found("одну минуту", 5, *lines).utterance == 5
    assert found("одну минуту", 4, *lines).utterance == 5
    assert fault("одну минуту", 2, *lines) is Fault.WRONG_SPEAKER


def test_one_word_is_proof_only_of_an_utterance_of_one_word() -> None:
    assert found("Алло", 1, "А: Алло?", "П: Да.").evidence.quote == "Алло"
    assert fault("Добрый", 1) is Fault.TOO_SHORT


def test_a_quote_may_go_on_while_the_same_speaker_does() -> None:
    lines = ("А: Добрый день.", "А: Клиника «Ромашка».", "А: Слушаю.", "П: Добрый день.")
    result = found("день клиника Ромашка слушаю", 2, *lines)
    assert result.evidence.quote == "день. Клиника «Ромашка». Слушаю"
    assert result.evidence.start_ms == round(3000 * 7 / 12)
    assert result.evidence.end_ms == 8000 + round(3000 * 6 / 7)
    assert fault("слушаю добрый день", 3, *lines) is Fault.NOT_FOUND


def test_with_uncertain_roles_a_patients_quote_is_kept_but_doubted() -> None:
    doubted = found("болит зуб", 2, confidence=0.5)
    assert doubted.doubtful
    assert doubted.evidence.role is Role.PATIENT
    assert not found("меня зовут", 1, confidence=0.5).doubtful


def test_empty_transcript_proves_nothing() -> None:
    empty = transcript().model_copy(update={"utterances": ()})
    assert Quotes(empty).find("добрый день", 1) is Fault.NOT_FOUND
