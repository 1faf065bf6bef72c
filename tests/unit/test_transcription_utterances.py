from itertools import pairwise

from tests.fixtures.transcription import dialogue, spoken

from medai.transcription.models import Word
from medai.transcription.utterances import turns


def word(text: str, start: int, end: int, speaker: str = "speaker_0") -> Word:
    return Word(text=text, start_ms=start, end_ms=end, speaker=speaker)


def texts(*words: Word) -> list[str]:
    return [turn.text for turn in turns(words)]


def test_a_new_speaker_starts_a_new_turn() -> None:
    assert texts(word("да", 0, 100), word("нет", 120, 200, "speaker_1")) == ["да", "нет"]


def test_only_a_pause_above_700_ms_starts_a_new_turn() -> None:
    assert texts(word("один", 0, 100), word("два", 800, 900)) == ["один два"]
    assert texts(word("один", 0, 100), word("два", 801, 900)) == ["один", "два"]


def test_a_turn_is_at_most_ten_seconds_long() -> None:
    cut = turns(spoken("слово " * 40, "speaker_0", 0, each_ms=500))
    assert [turn.end_ms - turn.start_ms for turn in cut] == [10_000, 10_000]


def test_a_sentence_end_before_a_capital_starts_a_new_turn() -> None:
    assert texts(*spoken("Здравствуйте. Слушаю вас.", "speaker_0", 0)) == [
        "Здравствуйте.",
        "Слушаю вас.",
    ]
    assert texts(*spoken("Приём в 10. часов утра", "speaker_0", 0)) == ["Приём в 10. часов утра"]


def test_initials_do_not_end_a_sentence() -> None:
    assert texts(*spoken("врач И. П. Петров", "speaker_0", 0)) == ["врач И. П. Петров"]


def test_lone_signs_join_the_word_before_them_even_after_a_pause() -> None:
    said = (word("Добрый", 0, 90), word("день", 100, 200), word(",", 2000, 2000), word("!", 0, 0))
    assert texts(*said) == ["Добрый день,!"]


def test_quotes_open_without_a_space_behind_them() -> None:
    assert texts(word("клиника", 0, 9), word("«", 10, 10), word("Ромашка", 11, 20),
                 word("»", 21, 21)) == ["клиника «Ромашка»"]  # fmt: skip


def test_people_who_talk_at_once_on_two_channels_keep_whole_sentences() -> None:
    left = spoken("раз два три четыре", "channel_0", 0)
    right = spoken("пять шесть семь восемь", "channel_1", 150)
    mixed = sorted([*left, *right], key=lambda one: one.start_ms)
    assert texts(*mixed) == ["раз два три четыре", "пять шесть семь восемь"]


def test_channels_are_merged_by_time() -> None:
    cut = turns(dialogue(by_channel=True).words)
    assert all(first.start_ms <= second.start_ms for first, second in pairwise(cut))
    assert {turn.speaker for turn in cut} == {"channel_0", "channel_1"}


def test_no_words_are_no_turns() -> None:
    assert turns(()) == ()
