"""The building blocks that the Typst template understands: plain JSON values.

Every text passes through `shown`, so hostile characters and endless words never reach the page.
"""

import re
from collections.abc import Iterable
from typing import Any, Literal

from medai.kit.text import clean, shortened
from medai.reports import format_ru as ru

Part = dict[str, Any]
Tone = Literal["good", "fair", "poor", "plain"]

_LONGEST_NAME = 80
_LONGEST_MARK = 34
_LONGEST_NAME_WORD = 18
"""What fits the 82 points beside a bar in 7.5 pt type."""
_PICTURE = (
    "(?![☀★☆☼♡♥⚠✓✗❖❤➀-➈])"
    "[\u200d\u20e3\u2600-\u27bf\u2b1b\u2b1c\u2b50\u2b55\ufe00-\ufe0f\U0001f000-\U0001faff]"
)
"""Emoji and their joiners, but those that Inter has: anything else would be an empty box."""
_PICTURES = re.compile(f"^(?:{_PICTURE})+ ?| ?{_PICTURE}")
_STRONG, _GROWTH = 8.0, 5.0
"""Zones of contract 7: from 8 strong, from 5 growth, below critical."""


def printable(text: str) -> str:
    """The text without what stores refuse and without pictures, which our type does not have."""
    kept = clean(text)
    return kept if kept.isascii() else _PICTURES.sub("", kept)


def shown(text: str) -> str:
    """The text as it may be printed."""
    return ru.breakable(printable(text))


def label(text: str) -> str:
    """A name beside a bar or in a table: cut where no real name reaches, broken where narrow."""
    return ru.breakable(shortened(printable(text), _LONGEST_NAME), _LONGEST_NAME_WORD)


def mark(text: str) -> str:
    """A name in or beside a chart, where two lines are the most there is room for."""
    return ru.breakable(shortened(printable(text), _LONGEST_MARK), _LONGEST_NAME_WORD)


def score_tone(score: float | None) -> Tone:
    """The zone of a 0-10 score."""
    if score is None:
        return "plain"
    if score >= _STRONG:
        return "good"
    return "fair" if score >= _GROWTH else "poor"


def fg_tone(percent: float | None) -> Tone:
    """The zone of an FG percentage."""
    return score_tone(None if percent is None else percent / 10)


def cell(text: str, tone: Tone = "plain", note: str = "") -> Part:
    """A table cell: a name or number, an optional zone and a second, quiet line."""
    return {"text": label(text), "tone": tone, "note": label(note)}


def column(title: str, width: float = 0, *, numeric: bool = True) -> Part:
    """A table column. `width` is in points; 0 takes what is left."""
    return {"title": title, "width": width, "numeric": numeric}


def table(
    columns: Iterable[Part],
    rows: Iterable[list[Part]],
    total: list[Part] | None = None,
    note: str = "",
) -> Part:
    """A table whose header repeats on each page."""
    return {"columns": list(columns), "rows": list(rows), "total": total or [], "note": note}
