"""Answers about a whole period, made of nothing but the figures and texts of the prompt."""

from medai.sandbox.openai.knowledge import Knowledge
from medai.sandbox.openai.reading import Said

_MOST = 5
_STRONG, _WEAK = 8.0, 5.0


def sentence(name: str, known: Knowledge) -> str:
    """What to say in a text property of this name; "" when the prompt is about one call."""
    means = known.reading.means
    if not means:
        return ""
    if name in means:
        return f"Так вышло по оценкам: {_judged(means[name])}."
    if known.about is not None:
        return f"Разобрать с администраторами: {known.about.text.rstrip('.')}."
    best, worst = max(means, key=lambda key: means[key]), min(means, key=lambda key: means[key])
    return f"Лучше всего получается {best}, слабее всего {worst}."


def texts(known: Knowledge, least: int, most: int | None) -> list[str]:
    """The texts that stand first in the prompt; a spoiled answer has more than is allowed."""
    if known.spoiled == "schema_violation":
        return ["Лишнее"] * ((most or _MOST) + 1)
    return [said.text for said in chosen(known, least, most)]


def chosen(known: Knowledge, least: int, most: int | None) -> list[Said]:
    """Different texts in the order of the prompt, repeated if there are too few."""
    found = list({said.text: said for said in known.reading.utterances}.values())
    if not found:
        found = [Said(0, "Продолжать в том же духе")] if least else []
    found = found[: min(_MOST, most or _MOST)]
    return [*found, *found[:1] * max(0, least - len(found))]


def _judged(mean: float) -> str:
    if mean >= _STRONG:
        return "сильная сторона"
    return "есть куда расти" if mean >= _WEAK else "требует внимания"
