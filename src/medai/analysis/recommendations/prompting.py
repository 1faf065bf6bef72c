"""Prompts of conclusions: unchanging instructions, then figures, then fenced texts.

Recommendations were written by a model that read what strangers said on the telephone, so they
are untrusted data like a transcript. Names of administrators are not sent.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from medai.analysis.fence import fenced, one_line
from medai.analysis.ports import Prompt
from medai.analysis.prompting import prompt_text
from medai.analysis.recommendations.models import Conclusions, CriterionMean, Zone
from medai.analysis.recommendations.sampling import CHARS_PER_TOKEN, PROMPT_TOKENS, Sample
from medai.analysis.recommendations.writing import decimal
from medai.kit.text import shortened

VERSION = "conclusions-1"
ADVICE_TITLE = "РЕКОМЕНДАЦИИ"
WEEKS_TITLE = "ВЫВОДЫ"

_ZONE_WORDS = {
    Zone.STRONG: "сильная сторона",
    Zone.GROWTH: "зона роста",
    Zone.CRITICAL: "критическая зона",
}


def week_prompt(
    first: date, last: date, calls: int, means: Sequence[CriterionMean], sample: Sample
) -> Prompt:
    """What the calls of a period have in common. At most PROMPT_TOKENS of recommendations."""
    lines = [
        f"[{number}] звонков {each.calls}, администраторов {len(each.administrators)}: {each.text}"
        for number, each in enumerate(sample.advice, start=1)
    ]
    data = [
        f"Период: с {first:%d.%m.%Y} по {last:%d.%m.%Y}",
        f"Звонков с оценкой: {calls}",
        *_figures(means),
        fenced(ADVICE_TITLE, lines),
    ]
    return _prompt("conclusions_week.md", ADVICE_TITLE, data, "week")


def month_prompt(
    first: date, calls: int, means: Sequence[CriterionMean], weeks: Sequence[Conclusions]
) -> Prompt:
    """How the weeks of a month developed, from their stored conclusions."""
    room = PROMPT_TOKENS * CHARS_PER_TOKEN // max(1, len(weeks))
    lines = [line for week in weeks for line in _week_lines(week, room)]
    numbered = [f"[{number}] {line}" for number, line in enumerate(lines, start=1)]
    data = [
        f"Месяц: {first:%m.%Y}",
        f"Недель: {len(weeks)}, звонков с оценкой: {calls}",
        *_figures(means),
        fenced(WEEKS_TITLE, numbered),
    ]
    return _prompt("conclusions_month.md", WEEKS_TITLE, data, "month")


def _week_lines(week: Conclusions, room: int) -> list[str]:
    """The points of a week, then the beginning of its summary, in its share of the room."""
    name = f"неделя с {week.first:%d.%m} по {week.last:%d.%m}"
    lines = []
    for text in (*week.summary_points, week.overall_summary):
        line = f"{name}: {shortened(one_line(text), max(1, room - len(name)))}"
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    return lines


def _figures(means: Iterable[CriterionMean]) -> Iterable[str]:
    yield "Средние баллы по критериям, шкала 0–10:"
    for each in means:
        weeks = f", по неделям {' → '.join(map(decimal, each.weeks))}" if each.weeks else ""
        counted = f"оценок {each.count}{weeks}"
        zone = _ZONE_WORDS[each.zone]
        yield f"- {each.key} «{each.name}»: {decimal(each.score)} ({counted}), {zone}"


def _prompt(name: str, title: str, data: list[str], kind: str) -> Prompt:
    rules = prompt_text("conclusions_rules.md", title=title)
    return Prompt(prompt_text(name, rules=rules), "\n".join(data), f"{VERSION}-{kind}")
