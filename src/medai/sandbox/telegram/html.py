"""Text with parse_mode HTML, parsed as strictly as Telegram parses it."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from medai.sandbox.telegram.errors import RefusedError, bad

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][\w-]*)(?P<rest>[^<>]*)>")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_REFERENCE = re.compile(r"&(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


@dataclass(slots=True)
class _Open:
    name: str
    offset: int
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Formatted:
    """What people see, and entities with offsets in UTF-16 units."""

    text: str
    entities: list[dict[str, Any]]


def utf16(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def formatted(text: str, parse_mode: str | None) -> Formatted:
    """The text after entity parsing. Raises RefusedError (400)."""
    if parse_mode is None:
        return Formatted(text.strip(), [])
    if parse_mode.lower() != "html":
        raise bad(f"unsupported parse_mode {parse_mode!r} (the sandbox reads HTML only)")
    return _Parser(text).parsed()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._shown: list[str] = []
        self._offset = 0
        self._open: list[_Open] = []
        self._entities: list[dict[str, Any]] = []

    def parsed(self) -> Formatted:
        """The whole source."""
        place = 0
        while (bracket := self._source.find("<", place)) >= 0:
            self._show(self._source[place:bracket])
            tag = _TAG.match(self._source, bracket)
            if tag is None or tag["name"].lower() not in _TYPES:
                raise self._refused("Unsupported start tag", bracket)
            self._tag(tag)
            place = tag.end()
        self._show(self._source[place:])
        if self._open:
            raise bad(f"can't parse entities: Can't find end tag for \"{self._open[-1].name}\"")
        return Formatted("".join(self._shown), self._entities)

    def _show(self, piece: str) -> None:
        shown = _REFERENCE.sub(lambda found: unescape(found.group()), piece)
        self._shown.append(shown)
        self._offset += utf16(shown)

    def _tag(self, tag: re.Match[str]) -> None:
        name = tag["name"].lower()
        if not tag["end"]:
            attributes = {
                a[1]: a[2] or a[3] or a[4] or "" for a in _ATTRIBUTE.finditer(tag["rest"])
            }
            self._open.append(_Open(name, self._offset, attributes))
            return
        if not self._open or self._open[-1].name != name:
            raise self._refused("Unmatched end tag", tag.start())
        self._close(self._open.pop())

    def _close(self, opened: _Open) -> None:
        length = self._offset - opened.offset
        entity = {"type": _TYPES[opened.name], "offset": opened.offset, "length": length}
        if opened.name == "a":
            entity["url"] = unescape(opened.attributes.get("href", ""))
        if length:
            self._entities.append(entity)

    def _refused(self, complaint: str, place: int) -> RefusedError:
        name = re.match(r"</?([\w-]*)", self._source[place:])
        shown = name[1] if name else ""
        offset = len(self._source[:place].encode())
        return bad(f'can\'t parse entities: {complaint} "{shown}" at byte offset {offset}')
