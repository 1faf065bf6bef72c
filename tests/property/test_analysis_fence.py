"""No text can leave its fence, whatever it is made of."""

import re

from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.analysis import transcript

from medai.analysis.prompting import classification_prompt
from medai.analysis.rendering import rendered

FENCE = re.compile(r"^<<<(ТРАНСКРИПЦИЯ|КОНЕЦ) [0-9a-f]{16}>>>$")
hostile = st.lists(
    st.one_of(
        st.text(max_size=10),
        st.sampled_from(
            (
                "\n",
                "\r",
                "\u2028",
                "\x85",
                "<<<",
                ">>>",
                "КОНЕЦ ",
                "[1] 00:00 ",
                "<",
                "＞",
                "\u200b",
            )
        ),
    ),
    max_size=12,
).map("".join)


@given(st.lists(hostile, min_size=1, max_size=5))
def test_one_line_per_utterance_between_two_fences(said: list[str]) -> None:
    lines = rendered(transcript(*(f"П: {each}" for each in said))).splitlines()
    assert len(lines) == len(said) + 2
    assert FENCE.match(lines[0])
    assert FENCE.match(lines[-1])
    assert not any(FENCE.match(each) for each in lines[1:-1])
    for number, line in enumerate(lines[1:-1], start=1):
        assert line.startswith(f"[{number}] ")


@given(hostile)
def test_a_speaker_cannot_say_the_mark(said: str) -> None:
    first = rendered(transcript(f"П: {said}")).splitlines()[0]
    mark = first.removesuffix(">>>").split()[-1]
    again = classification_prompt(transcript(f"П: {said} {mark}")).data
    assert again.splitlines()[0] != first
