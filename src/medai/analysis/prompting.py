"""Prompts: unchanging instructions first (providers cache them), data of the request last.

The instruction texts are the Markdown files of `prompts/`; the criteria in them come from the
scorecard, so prompt, scoring and screens cannot disagree.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template

from medai.analysis.criterion import Criterion
from medai.analysis.fence import fenced, one_line
from medai.analysis.ports import Prompt
from medai.analysis.rendering import rendered
from medai.analysis.scorecards import VERSION, Scorecard
from medai.transcription.models import Transcript

CANDIDATES_TITLE = "СПИСОК"


def classification_prompt(transcript: Transcript) -> Prompt:
    """Which of the five call types it is."""
    instructions = prompt_text("classification.md", untrusted=prompt_text("untrusted.md"))
    return Prompt(instructions, rendered(transcript), f"{VERSION}-classification")


def scoring_prompt(card: Scorecard, transcript: Transcript, *, booked: bool | None) -> Prompt:
    """All asked criteria of the scorecard. `booked` is the CRM's flag, None without a CRM."""
    data = [*_booking(card, booked=booked), rendered(transcript)]
    return Prompt(_scoring_instructions(card), "\n".join(data), _cache_key(card))


def recheck_prompt(
    card: Scorecard, transcript: Transcript, keys: Sequence[str], *, booked: bool | None
) -> Prompt:
    """The same instructions (already cached), narrowed to the criteria that lack proof."""
    narrowed = f"Оцени только критерии: {', '.join(keys)}"
    data = [*_booking(card, booked=booked), narrowed, rendered(transcript)]
    return Prompt(_scoring_instructions(card), "\n".join(data), _cache_key(card))


def administrator_prompt(transcript: Transcript, candidates: Sequence[tuple[str, str]]) -> Prompt:
    """Who of the (first name, last name) candidates is speaking for the clinic."""
    names = [
        f"[{number}] {one_line(f'{first} {last}')}"
        for number, (first, last) in enumerate(candidates, start=1)
    ]
    instructions = prompt_text("administrator.md", untrusted=prompt_text("untrusted.md"))
    data = f"{fenced(CANDIDATES_TITLE, names)}\n{rendered(transcript)}"
    return Prompt(instructions, data, f"{VERSION}-administrator")


def _booking(card: Scorecard, *, booked: bool | None) -> list[str]:
    if not card.needs_booking:
        return []
    return [f"Отметка CRM: запись на приём {_BOOKING_WORDS[booked]}"]


_BOOKING_WORDS = {True: "есть", False: "отсутствует", None: "неизвестна, звонок не из CRM"}


@cache
def _scoring_instructions(card: Scorecard) -> str:
    return prompt_text(
        "scoring.md",
        call_type=card.call_type.label,
        criteria="".join(_described(each) for each in card.asked),
        booking_rule=prompt_text("booking.md") if card.needs_booking else "",
        untrusted=prompt_text("untrusted.md"),
        recommendations=prompt_text("recommendations.md"),
    )


def _described(criterion: Criterion) -> str:
    marks = []
    if criterion.binary:
        marks.append("только 0 или 10")
    if criterion.optional:
        marks.append("может быть неприменим")
    if criterion.full_when_absent:
        marks.append("10 без цитаты, если не звучало")
    shown = f" ({', '.join(marks)})" if marks else ""
    anchors = "".join(f"- {score}: {meaning}\n" for score, meaning in criterion.anchors)
    return f"### `{criterion.key}` — {criterion.name}{shown}\n{anchors}\n"


def _cache_key(card: Scorecard) -> str:
    return f"{card.version}-scoring-{card.call_type.value}"


def prompt_text(name: str, **values: str) -> str:
    """A file of `prompts/` with its placeholders filled, one line break at its end."""
    source = files("medai.analysis").joinpath("prompts", name).read_text(encoding="utf-8")
    return Template(source).substitute(values).strip() + "\n"
