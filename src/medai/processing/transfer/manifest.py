"""What an archive says about itself, and the names of its entries."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from medai.kit.model import Frozen

VERSION = 1
"""Raised when an older program could not read the archive."""
MANIFEST = "manifest.json"
LEDGER = "ledger.jsonl"
FILE_LIST = "files.jsonl"

Digest = Field(pattern=r"^[0-9a-f]{64}$")


class Lines(Frozen):
    """An entry of JSON lines. `bytes` and `sha256` are those of the unpacked text."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    lines: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: str = Digest


class ListedFile(Frozen):
    """One file of the file store."""

    name: str
    bytes: int = Field(ge=0)
    sha256: str = Digest


class Manifest(Frozen):
    """`live`: made while the service worked. `keys` tells encryption keys apart without telling
    them. `files` None: the files were left where they are. `cleaned` documents held characters
    that our stores do not keep."""

    format: Literal["medai-archive"] = "medai-archive"
    version: int = Field(default=VERSION, ge=1)
    program: str
    made_at: datetime
    live: bool
    keys: str
    cleaned: int
    collections: tuple[Lines, ...]
    ledger: Lines
    files: Lines | None = None


class Version(Frozen, extra="ignore"):
    """The part of a manifest that every version has."""

    format: Literal["medai-archive"]
    version: int


def collection_entry(name: str) -> str:
    """The entry with the documents of a collection."""
    return f"documents/{name}.jsonl"


def file_entry(name: str) -> str:
    """The entry with the content of a file."""
    return f"files/{name}"
