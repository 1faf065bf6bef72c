"""What the conversion of one old document gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from medai.infra.documents import Collection, Document
from medai.kit.ids import stable_id
from medai.migration.values import plain, text

Raw = Mapping[str, Any]
"""A document of the dump, as BSON gave it; moments are aware UTC."""


class Cipher(Protocol):
    """Encrypts secrets at rest."""

    def encrypt(self, text: str) -> str:
        """The text, unreadable without the installation's secret."""

    @staticmethod
    def is_encrypted(stored: str) -> bool:
        """Whether the text is the result of `encrypt`."""


@dataclass(frozen=True, slots=True)
class Place:
    """A clinic as its other documents name it: `client_id`, zone, subdomain."""

    client_id: str
    tz: ZoneInfo
    subdomain: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What all conversions need. `places` maps every id a clinic has had (as text) to it."""

    now: datetime
    tz: ZoneInfo
    cipher: Cipher
    places: Mapping[str, Place] = field(default_factory=dict)

    def place(self, clinic_id: str) -> Place:
        """The clinic of this id; an unknown one stands for itself in the usual zone."""
        return self.places.get(clinic_id) or Place(clinic_id, self.tz)


@dataclass(frozen=True, slots=True)
class Converted:
    """A clean document. Of several with one `key` that of the highest `rank` is kept; `facts` are
    fields the kept one takes over where it has none. `oddities` are codes for the report."""

    document: Document
    key: tuple[str, ...]
    rank: tuple[float, ...] = ()
    facts: Document = field(default_factory=dict)
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that cannot be understood: why, as a code for the report."""

    reason: str


KeyOf = Callable[[Raw, Context], tuple[str, ...]]
"""The key of what a document becomes, told without converting it."""
Conversion = Callable[[Raw, Context], Converted | Refused]
Merge = Callable[[Document, list[Document]], Document]


def fill_gaps(document: Document, facts: list[Document]) -> Document:
    """The document with those of the facts that it lacks."""
    filled = dict(document)
    for more in facts:
        for name, value in more.items():
            if not filled.get(name):
                filled[name] = value
    return filled


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection of the old system that this one keeps under the same name.

    `mark` is a field that every document of ours has and none of theirs. `key_of` needs no other
    fields than `key_fields` and the id. `secrets` are fields that are never copied aside.
    """

    collection: Collection
    title: str
    mark: str
    convert: Conversion
    key_of: KeyOf
    key_fields: tuple[str, ...]
    merge: Merge = fill_gaps
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The collection's name."""
        return self.collection.name

    @property
    def fields_read(self) -> tuple[str, ...]:
        """What has to be read of a document to tell its key, whoever wrote it."""
        ours = {path for paths in self.collection.unique for path in paths}
        return tuple(sorted({*self.key_fields, *ours, self.mark, "_id"}))

    def key(self, raw: Raw, context: Context) -> tuple[str, ...]:
        """The document's key, whoever wrote it."""
        if self.is_ours(raw):
            (paths, *_) = self.collection.unique
            return tuple(str(raw.get(path)) for path in paths)
        return self.key_of(raw, context)

    def is_ours(self, raw: Raw) -> bool:
        """Whether the document was written by this system."""
        return isinstance(raw.get("_id"), str) and raw.get(self.mark) is not None


def id_of(raw: Raw) -> str:
    """The document's id as ours: text, never empty."""
    return text(raw["_id"]) or stable_id("unnamed", source_of(raw))


def source_of(raw: Raw) -> str:
    """What tells one document of a collection from all others: its id with the id's type."""
    return f"{type(raw['_id']).__name__}:{raw['_id']}"


def left_over(raw: Raw, used: frozenset[str]) -> Document:
    """Fields nobody has used, and the type the id had."""
    unknown = {name: value for name, value in raw.items() if name not in used and name != "_id"}
    kept: Document = plain(unknown)
    return {**kept, "id_type": type(raw["_id"]).__name__}
