"""Figures as a table on the terminal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any


def table(figures: Sequence[Any]) -> str:
    """Dataclass objects of one kind, a line each; the fields' names are the heads."""
    rows = [tuple(name.replace("_", " ") for name in asdict(figures[0]))]
    rows += [tuple(_text(value) for value in asdict(one).values()) for one in figures]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )


def _text(value: object) -> str:
    return "–" if value is None else str(value)
