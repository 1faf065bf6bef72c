"""Words are never lost or reordered, labels mean nothing, notes hold the whole text."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from medai.calls.models import Direction
from medai.transcription.formats import NOTE_PREFIX, note_texts
from medai.transcription.models import Word
from medai.transcription.speakers import assign_roles
from medai.transcription.utterances import Turn, turns

PHRASES = (
    "Здравствуйте, клиника «Ромашка»", "чем могу помочь", "хочу записаться", "сколько стоит приём",
    "Алло", "да", "меня зовут Анна", "ждём вас, всего доброго", "я подумаю", "как вас зовут",
)  # fmt: skip
TEXTS = st.text(st.sampled_from("абвАБВ .,!?«»1"), min_size=1, max_size=6).filter(str.strip)


@st.composite
def recognised(draw: st.DrawFn, labels: tuple[str, ...]) -> list[Word]:
    """Words with starts that never run backwards, as the adapter gives them."""
    moment, words = 0, []
    for text in draw(st.lists(TEXTS.map(str.strip), max_size=40)):
        moment += draw(st.integers(0, 3000))
        length = draw(st.integers(0, 2000))
        speaker = draw(st.sampled_from(labels))
        words.append(Word(text=text, start_ms=moment, end_ms=moment + length, speaker=speaker))
    return words


def letters(texts: list[str]) -> str:
    return "".join("".join(text.split()) for text in texts)


@given(recognised(("speaker_0", "speaker_1")))
def test_diarized_words_keep_their_order(words: list[Word]) -> None:
    cut = turns(words)
    assert letters([turn.text for turn in cut]) == letters([word.text for word in words])
    assert [turn.start_ms for turn in cut] == sorted(turn.start_ms for turn in cut)


@given(recognised(("channel_0", "channel_1")))
def test_each_channel_keeps_its_words_and_their_order(words: list[Word]) -> None:
    cut = turns(words)
    for channel in ("channel_0", "channel_1"):
        said = [turn.text for turn in cut if turn.speaker == channel]
        assert letters(said) == letters([w.text for w in words if w.speaker == channel])


@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(PHRASES)), min_size=1, max_size=12),
    st.sampled_from(list(Direction)),
    st.sampled_from([("channel_0", "channel_1"), ("speaker_0", "speaker_1")]),
)
def test_swapped_labels_give_the_same_people_the_same_roles(
    lines: list[tuple[int, str]], direction: Direction, labels: tuple[str, str]
) -> None:
    def judged(names: tuple[str, str]) -> tuple[list[str], float]:
        talk = [Turn(names[who], n * 2000, n * 2000 + 900, text)
                for n, (who, text) in enumerate(lines)]  # fmt: skip
        roles = assign_roles(talk, direction)
        return [roles.of[turn.speaker] for turn in talk], roles.confidence

    assert judged(labels) == judged((labels[1], labels[0]))


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from(PHRASES), st.integers(1, 900)),
        min_size=1, max_size=12,
    ),
    st.sampled_from(list(Direction)),
)  # fmt: skip
def test_swapped_channels_give_the_same_utterances(
    lines: list[tuple[int, str, int]], direction: Direction
) -> None:
    def judged(names: tuple[str, str]) -> list[tuple[int, str, str]]:
        moment, words = 0, []
        for who, text, pause in lines:
            for part in text.split():
                words.append(
                    Word(text=part, start_ms=moment, end_ms=moment + 300, speaker=names[who])
                )
                moment += 300
            moment += pause
        cut = turns(words)
        roles = assign_roles(cut, direction)
        return [(turn.start_ms, turn.text, roles.of[turn.speaker]) for turn in cut]

    assert judged(("channel_0", "channel_1")) == judged(("channel_1", "channel_0"))


@given(st.text(st.sampled_from("аб \n[:]"), max_size=600), st.integers(60, 400))
def test_notes_are_within_the_limit_and_lose_nothing(text: str, limit: int) -> None:
    notes = note_texts(text, "0123456789ab", limit=limit)
    bodies = [note.removeprefix(NOTE_PREFIX).rpartition("\n")[0] for note in notes]
    assert all(len(note) <= limit for note in notes)
    assert "".join(bodies) == text
    markers = Counter(note.rpartition("\n")[2] for note in notes)
    assert all(name.startswith("#medai:0123456789ab") for name in markers)
    assert set(markers.values()) == {1}
