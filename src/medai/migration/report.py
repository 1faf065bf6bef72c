"""What an upgrade found and did: counts, and examples by id. No personal data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_EXAMPLES = 3
_PLAIN_ID = re.compile(r"(?!\d{10,15}$)[0-9a-fA-F-]{1,36}|old-[0-9a-fA-F]{24}")
"""Ids of any other form may be made of names (`admin_<name>`, contract 2.2) or be a phone."""


@dataclass(slots=True)
class Seen:
    """How often something was met, and the first ids."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, doc_id: str) -> None:
        """Once more."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(shown_id(doc_id))


@dataclass(slots=True)
class Tally:
    """One collection. `read` documents were `kept`, or were `copies` of a kept one, or were set
    `aside`; `ours` of the kept ones needed nothing. `seen` is by code."""

    read: int = 0
    kept: int = 0
    ours: int = 0
    copies: int = 0
    aside: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)

    def note(self, code: str, doc_id: str) -> None:
        """Something odd was met in a document."""
        self.seen.setdefault(code, Seen()).add(doc_id)

    def stored(self) -> dict[str, Any]:
        """The form that survives a restart."""
        seen = {code: {"count": s.count, "examples": s.examples} for code, s in self.seen.items()}
        counts = ("read", "kept", "ours", "copies", "aside")
        return {**{name: getattr(self, name) for name in counts}, "seen": seen}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Tally":
        """The tally again."""
        seen = {code: Seen(one["count"], list(one["examples"])) for code, one in
                stored.get("seen", {}).items()}  # fmt: skip
        counts = ("read", "kept", "ours", "copies", "aside")
        return cls(**{name: stored.get(name, 0) for name in counts}, seen=seen)


@dataclass(slots=True)
class FilesTally:
    """Old files by kind (audio, transcript, analysis, report): brought in now, there already,
    named by a call but not found, and refused with their reason."""

    brought: dict[str, int] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)

    def count(self, where: dict[str, int], kind: str) -> None:
        """One more of a kind."""
        where[kind] = where.get(kind, 0) + 1

    def note(self, code: str, doc_id: str) -> None:
        """Something odd was met."""
        self.seen.setdefault(code, Seen()).add(doc_id)


@dataclass(slots=True)
class Report:
    """The whole upgrade; `left_alone` are collections nobody reads with their sizes; `archives`
    map a collection to the one that holds its old documents."""

    is_dry: bool
    parts: dict[str, Tally] = field(default_factory=dict)
    left_alone: dict[str, int] = field(default_factory=dict)
    archives: dict[str, str] = field(default_factory=dict)
    days: int = 0
    files: FilesTally | None = None
    was_resumed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing of the old system."""
        return not self.parts


def shown_id(doc_id: str) -> str:
    """An id that may be printed: names in it are not."""
    if _PLAIN_ID.fullmatch(doc_id):
        return doc_id
    return f"{doc_id[: min(6, len(doc_id) // 2)]}…" if doc_id.isascii() else "…"
