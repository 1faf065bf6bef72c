"""Figures as a table on the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any


def table(figures: Sequence[Any], heads: Mapping[str, str] | None = None) -> str:
    """Dataclass objects of one kind, a line each.

    `heads` names and orders the fields to show; without it all of them, by their names.
    """
    heads = heads or {name: name.replace("_", " ") for name in asdict(figures[0])}
    rows = [list(heads.values())]
    rows += [[_text(asdict(one)[name]) for name in heads] for one in figures]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    lines = ["  ".join(text.rjust(w) for text, w in zip(r, widths, strict=True)) for r in rows]
    return "\n".join(lines)


def _text(value: object) -> str:
    return "–" if value is None else str(value)
