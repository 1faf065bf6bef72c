"""The small part of markdown that period conclusions use, as blocks the template can draw.

A model wrote the text, so it is read as data: headings, list items, paragraphs and bold runs.
Anything else is shown as it stands.
"""

import re
from collections.abc import Iterable

from medai.reports.pages.parts import Part, shown

_HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$")
_ITEM = re.compile(r"^(?:[-*•]|\d{1,3}[.)])\s+(?P<text>.+)$")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def blocks(markdown: str) -> list[Part]:
    """Blocks of `kind` heading, item or text, each with runs of plain and bold text."""
    lines = (line.strip() for line in markdown.splitlines())
    return [_block(line) for line in lines if line and set(line) - set("-*_ ")]


def _block(line: str) -> Part:
    if heading := _HEADING.match(line):
        return {"kind": "heading", "runs": [{"text": shown(_plain(heading["text"])), "bold": True}]}
    if item := _ITEM.match(line):
        return {"kind": "item", "runs": list(_runs(item["text"]))}
    return {"kind": "text", "runs": list(_runs(line))}


def _runs(text: str) -> Iterable[Part]:
    for index, piece in enumerate(_BOLD.split(text)):
        if piece:
            yield {"text": shown(piece), "bold": index % 2 == 1}


def _plain(text: str) -> str:
    return _BOLD.sub(r"\1", text)
