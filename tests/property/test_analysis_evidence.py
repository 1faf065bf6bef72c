"""Any span the administrator really said is accepted; whatever differs in words is not."""

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fixtures.analysis import transcript

from medai.analysis.evidence import Fault, Found, Quotes
from medai.analysis.words import words
from medai.transcription.models import Role, Transcript

VOCABULARY = [
    "клиника",
    "добрый",
    "день",
    "приём",
    "запись",
    "врач",
    "снимок",
    "ёлка",
    "её",
    "завтра",
    "десять",
    "утра",
    "цена",
    "паспорт",
    "адрес",
    "улица",
    "дом",
    "пять",
    "шесть",
    "можно",
    "нужно",
    "хорошо",
    "меня",
    "зовут",
    "вас",
    "ждём",
]
FOREIGN = ["ортодонтия", "брекеты", "вторник", "гарантия", "рассрочка", "наркоз"]
SIGNS = ("", ",", ".", "!", " —", "…", "?", ";")

word = st.sampled_from(VOCABULARY)
text = st.lists(st.tuples(word, st.sampled_from(SIGNS)), min_size=2, max_size=9).map(
    lambda pairs: " ".join(each + sign for each, sign in pairs)
)
lines = st.lists(st.tuples(st.sampled_from("АП"), text), min_size=1, max_size=8)
transcripts = lines.map(lambda said: transcript(*(f"{who}: {what}" for who, what in said)))


def respelled(draw: st.DrawFn, spoken: list[str]) -> str:
    """The same words as another spelling may write them."""
    change = st.sampled_from((str.upper, str.title, lambda each: each.replace("ё", "е"), str))
    joints = st.sampled_from((" ", "  ", ", ", " — ", "\n", "! "))
    return "".join(draw(change)(each) + draw(joints) for each in spoken)


@st.composite
def spans(draw: st.DrawFn, role: Role) -> tuple[Transcript, int, list[str], str]:
    """A transcript, the number of an utterance, words of it, and the quote of them."""
    said = draw(transcripts)
    numbers = [n for n, each in enumerate(said.utterances, start=1) if each.role is role]
    assume(numbers)
    number = draw(st.sampled_from(numbers))
    forms = [each.form for each in words(said.utterances[number - 1].text)]
    first = draw(st.integers(0, len(forms) - 2))
    last = draw(st.integers(first + 2, len(forms)))
    spoken = forms[first:last]
    return said, number, spoken, respelled(draw, spoken)


@given(spans(Role.ADMINISTRATOR))
def test_every_real_span_is_accepted(case: tuple[Transcript, int, list[str], str]) -> None:
    said, number, spoken, quote = case
    result = Quotes(said).find(quote, number)
    assert isinstance(result, Found)
    assert [each.form for each in words(result.evidence.quote)] == spoken
    assert result.evidence.role is Role.ADMINISTRATOR


@given(spans(Role.ADMINISTRATOR))
def test_times_stay_within_the_speech_they_prove(
    case: tuple[Transcript, int, list[str], str],
) -> None:
    said, number, _, quote = case
    result = Quotes(said).find(quote, number)
    assert isinstance(result, Found)
    begins = said.utterances[result.utterance - 1].start_ms
    assert begins <= result.evidence.start_ms < result.evidence.end_ms
    assert result.evidence.end_ms <= said.utterances[-1].end_ms


@given(spans(Role.ADMINISTRATOR), st.integers(-3, 12))
def test_a_wrong_number_never_loses_the_administrators_words(
    case: tuple[Transcript, int, list[str], str], number: int
) -> None:
    said, _, spoken, quote = case
    result = Quotes(said).find(quote, number)
    if result is Fault.WRONG_SPEAKER:
        assert said.utterances[number - 1].role is Role.PATIENT
    else:
        assert isinstance(result, Found)
        assert [each.form for each in words(result.evidence.quote)] == spoken


@given(spans(Role.PATIENT))
def test_the_patients_words_are_refused(
    case: tuple[Transcript, int, list[str], str],
) -> None:
    said, number, _, quote = case
    assert Quotes(said).find(quote, number) is Fault.WRONG_SPEAKER


@given(spans(Role.ADMINISTRATOR), st.data())
def test_a_changed_word_is_refused(
    case: tuple[Transcript, int, list[str], str], data: st.DataObject
) -> None:
    said, number, spoken, _ = case
    place = data.draw(st.integers(0, len(spoken) - 1))
    changed = [*spoken]
    changed[place] = data.draw(st.sampled_from(FOREIGN))
    assert Quotes(said).find(" ".join(changed), number) is Fault.NOT_FOUND


@given(spans(Role.ADMINISTRATOR), st.data())
def test_an_added_word_is_refused(
    case: tuple[Transcript, int, list[str], str], data: st.DataObject
) -> None:
    said, number, spoken, _ = case
    place = data.draw(st.integers(1, len(spoken) - 1))
    changed = [*spoken[:place], data.draw(st.sampled_from(FOREIGN)), *spoken[place:]]
    assert Quotes(said).find(" ".join(changed), number) is Fault.NOT_FOUND


@given(transcripts, st.lists(st.sampled_from(FOREIGN), min_size=2, max_size=5))
def test_words_of_another_call_are_refused(said: Transcript, foreign: list[str]) -> None:
    assert Quotes(said).find(" ".join(foreign), 1) is Fault.NOT_FOUND


@given(transcripts, st.text(max_size=40), st.integers())
def test_any_text_gets_an_answer(said: Transcript, quote: str, number: int) -> None:
    result = Quotes(said).find(quote, number)
    if isinstance(result, Found):
        spoken = [each.form for each in words(quote)]
        assert spoken == [each.form for each in words(result.evidence.quote)]
