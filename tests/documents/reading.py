"""Markdown as its reader sees it: commands, links, headings."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SHELL = {"", "sh", "bash", "console"}
_INLINE = re.compile(r"`([^`\n]+)`")
_OPERATORS = {"|", "||", "&&", ";", "&", "(", ")", "{", "}", "<", ">", ">>", "2>", "<<<"}
_WORDS = {"if", "then", "else", "fi", "for", "in", "do", "done", "while", "until", "!", "set", "["}
_VARIABLE = re.compile(r"[A-Za-z_]\w*=")
_HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)
_LINK = re.compile(
    r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|<(?:img|a)[^>]*(?:src|href)=\"([^\"]+)\""
)


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command of a shell block: a program with its words."""

    document: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        """The program's name, without the folder of the virtual environment."""
        return self.words[0].removeprefix(".venv/bin/")

    def __str__(self) -> str:
        return shlex.join((self.program, *self.words[1:]))


def documents() -> list[str]:
    """Every document of the repository, by its path in it."""
    found = chain(ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "deploy").rglob("*.md"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


def text(name: str) -> str:
    """The whole document."""
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """The document without its blocks."""
    return _BLOCK.sub("", text(name))


def blocks(name: str) -> Iterator[str]:
    """What stands in blocks of shell, or in blocks of no language."""
    for _, language, body in _BLOCK.findall(text(name)):
        if language in _SHELL:
            yield body


def commands(name: str) -> Iterator[Command]:
    """Commands of the blocks, in order. A block that bash would not read raises ValueError."""
    for body in blocks(name):
        for line in _joined(body):
            for words in _simple(line):
                yield Command(name, words)


def inline(name: str, program: str) -> Iterator[list[str]]:
    """Arguments of the program where it stands in running text."""
    for code in _INLINE.findall(prose(name)):
        found = re.match(rf"(?:[A-Z_]+=\S+ )?(?:\.venv/bin/)?{program}(?: (.*))?$", code)
        if found:
            yield shlex.split(found[1] or "")


def links(name: str) -> list[str]:
    """Targets of links and pictures."""
    return [one or other for one, other in _LINK.findall(prose(name))]


def anchors(name: str) -> set[str]:
    """What headings can be linked by, as GitHub makes it."""
    found: set[str] = set()
    for heading in _HEADING.findall(_BLOCK.sub("", text(name))):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = sum(
            1 for one in found if one == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", one)
        )
        found.add(f"{slug}-{number}" if number else slug)
    return found


def _joined(body: str) -> Iterator[str]:
    """Lines with what continues them: after a backslash, in a quotation, in a heredoc."""
    held, until = "", ""
    for line in body.replace("\\\n", " ").splitlines():
        if until:
            until = "" if line.strip() == until else until
            continue
        held = f"{held}\n{line}" if held else line
        try:
            shlex.split(held, comments=True)
        except ValueError:
            continue
        if heredoc := re.search(r"<<-?'?(\w+)'?", held):
            until = heredoc[1]
        yield held
        held = ""
    if held:
        raise ValueError(f"a quotation is not closed: {held[:60]}")


def _simple(line: str) -> Iterator[tuple[str, ...]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in _OPERATORS or set(word) <= set("|&;()<>"):
            if words:
                yield tuple(words)
            words = []
        elif words or not (_VARIABLE.match(word) or word in _WORDS):
            words.append(word)
