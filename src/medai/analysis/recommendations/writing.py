"""From the model's words and our figures to the text people read. Pure.

Every figure about calls is put in here. A sentence of the model that brings a number of its own is
left out: nobody could say where it comes from (field.md 1).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from medai.analysis.recommendations.models import CriterionMean, Zone
from medai.analysis.recommendations.sampling import Advised, Sample
from medai.analysis.recommendations.shapes import (
    MonthConclusions,
    PeriodAdvice,
    WeekConclusions,
    remarks,
)

_SENTENCES = re.compile(r"(?<=[.!?…])\s+")
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")
_EXAMPLES = 2
"""Examples shown beside one advice."""


class Proven:
    """Lets through the sentences whose numbers all stand in texts we have shown the model."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known = {number for text in texts for number in _NUMBERS.findall(text)}

    def __call__(self, text: str) -> str:
        """The text without sentences that bring numbers of their own."""
        kept = [each for each in _SENTENCES.split(text) if self._is_proven(each)]
        return " ".join(kept)

    def listed(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The same for each; those of which nothing is left are dropped."""
        return tuple(kept for text in texts if (kept := self(text)))

    def _is_proven(self, sentence: str) -> bool:
        return self._known.issuperset(_NUMBERS.findall(sentence))


def week_summary(
    answer: WeekConclusions,
    period: tuple[date, date],
    calls: int,
    means: Sequence[CriterionMean],
    sample: Sample,
) -> str:
    """The markdown of a week (contract 7: conclusions, three zones, recommendations, verdict)."""
    proven = Proven(each.text for each in sample.advice)
    lines = [
        _span(*period, calls),
        *_sampled(sample),
        *_section("Общие выводы", [proven(answer.conclusions)]),
        *_zones(means, remarks(answer), proven, Zone),
        *_section("Рекомендации", _advice(answer.advice, sample.advice, proven)),
        *_section("Вердикт", [proven(answer.verdict)]),
    ]
    return "\n".join(lines)


def month_summary(
    answer: MonthConclusions,
    period: tuple[date, date],
    calls: int,
    means: Sequence[CriterionMean],
    texts: Iterable[str],
) -> str:
    """The markdown of a month (contract 7: trend, strengths, problems, critical, strategy, totals).

    `texts` are the conclusions of the weeks.
    """
    proven = Proven(texts)
    said = remarks(answer)
    lines = [
        _span(*period, calls),
        *_section("Динамика", [proven(answer.trend), *_trend(means)]),
        *_zones(means, said, proven, (Zone.STRONG, Zone.GROWTH)),
        *_section("Системные проблемы", _items(proven.listed(answer.problems))),
        *_zones(means, said, proven, (Zone.CRITICAL,)),
        *_section("Стратегические рекомендации", _items(proven.listed(answer.strategy))),
        *_section("Итоги", [proven(answer.totals)]),
    ]
    return "\n".join(lines)


def points(
    given: Iterable[str], means: Sequence[CriterionMean], texts: Iterable[str]
) -> tuple[str, ...]:
    """The model's points without unproven ones; our own when nothing is left."""
    return Proven(texts).listed(given) or tuple(
        f"{zone.heading}: {names}"
        for zone in Zone
        if (names := ", ".join(each.name for each in means if each.zone is zone))
    )


def decimal(value: float) -> str:
    """One decimal with a comma, as people write it."""
    return f"{value:.1f}".replace(".", ",")


def _span(first: date, last: date, calls: int) -> str:
    return f"Разобрано звонков: {calls}, период с {first:%d.%m.%Y} по {last:%d.%m.%Y}."


def _sampled(sample: Sample) -> Iterator[str]:
    if sample.calls < sample.offered:
        yield (
            f"Советы взяты из {sample.calls} звонков, поровну от администраторов;"
            " баллы посчитаны по всем."
        )


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    kept = [line for line in lines if line]
    if kept:
        yield from ("", f"## {title}", "", *kept)


def _zones(
    means: Sequence[CriterionMean], said: Mapping[str, str], proven: Proven, zones: Iterable[Zone]
) -> Iterator[str]:
    for zone in zones:
        yield from _section(
            zone.heading,
            (
                f"- **{each.name} — {decimal(each.score)}** (оценок: {each.count})."
                f" {proven(said.get(each.key, ''))}".rstrip()
                for each in means
                if each.zone is zone
            ),
        )


def _trend(means: Iterable[CriterionMean]) -> Iterator[str]:
    for each in means:
        if len(each.weeks) > 1:
            yield f"- {each.name}: {' → '.join(map(decimal, each.weeks))}"


def _advice(
    given: Iterable[PeriodAdvice], known: Sequence[Advised], proven: Proven
) -> Iterator[str]:
    for each in given:
        text = proven(each.text)
        numbers = dict.fromkeys(n for n in each.examples if 1 <= n <= len(known))
        shown = "; ".join(_example(known[n - 1]) for n in list(numbers)[:_EXAMPLES])
        if text:
            yield f"- {text}" + (f" Из звонков: {shown}." if shown else "")


def _example(advised: Advised) -> str:
    return f"«{advised.text.rstrip('.')}» (звонков: {advised.calls})"


def _items(texts: Iterable[str]) -> Iterator[str]:
    return (f"- {text}" for text in texts)
