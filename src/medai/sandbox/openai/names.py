"""Which of the offered people introduced herself."""

from dataclasses import dataclass

from medai.sandbox.world.models import Dialogue

_CLEAR = 0.95
_DOUBTFUL = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """(first, last) as offered, or None; confidence 0-1."""

    name: tuple[str, str] | None
    confidence: float


def choose(dialogue: Dialogue | None, offered: tuple[tuple[str, str], ...]) -> Choice:
    """The one whose names contain the name said; two namesakes make it doubtful.

    A name that fits nobody as it stands (a short form, a stranger) is answered as it was heard.
    """
    said = _words(dialogue.introduced_as or "") if dialogue else set()
    if not said:
        return Choice(None, 0.0)
    fitting = [name for name in offered if said <= _words(" ".join(name))]
    if not fitting and dialogue is not None:
        return Choice((dialogue.introduced_as or "", ""), _CLEAR)
    return Choice(fitting[0], _CLEAR if len(fitting) == 1 else _DOUBTFUL)


def _words(text: str) -> set[str]:
    return set(text.casefold().replace("ё", "е").split())
