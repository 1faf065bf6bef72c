"""The document port: what repositories may ask of a store, whichever store it is.

Two adapters keep it: `postgres_documents` (JSONB, also embedded) and `mongo`. One contract suite
(`tests/contract/test_documents.py`) runs on both. The port is narrow on purpose: equality, range
and membership filters, explicit sort, single-document atomicity, no transactions.
"""

import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from medai.kit.clock import to_milliseconds
from medai.kit.text import clean

Document = dict[str, Any]
"""JSON-like data plus aware datetimes. The key `_id` is always a string."""

MAX_IDS_PER_QUERY = 200
"""`$in` grows quadratically on the wire-protocol test server and bloats URLs of logs anyway."""


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open or open-ended range for one field; None leaves a side open."""

    at_least: Any = None
    above: Any = None
    below: Any = None
    at_most: Any = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """Membership: the field equals one of at most MAX_IDS_PER_QUERY values."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.values) > MAX_IDS_PER_QUERY:
            raise ValueError(f"OneOf takes at most {MAX_IDS_PER_QUERY} values: ask in chunks")


@dataclass(frozen=True, slots=True)
class Not:
    """The field differs from the value; a missing field counts as None and therefore differs."""

    value: Any


@dataclass(frozen=True, slots=True)
class Present:
    """To group by: True when the field is neither missing nor null, otherwise False."""

    path: str


GroupBy = Sequence[str | Present]
"""Field paths (a missing field counts as None) and `Present`; at least one."""

Where = Mapping[str, Any]
"""Field path (dots go into sub-documents) -> plain value (equality; None matches null and a
missing field alike), Range, OneOf or Not. All conditions must hold. A Range never matches a
missing or null field, nor a value of another type."""

Sort = Sequence[tuple[str, int]]
"""(field path, 1 ascending or -1 descending); adapters add `_id` as the last tie-breaker."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents with the keys that must be unique and the fields to index.

    A unique key is a tuple of field paths; documents in which any of its fields is missing or
    null do not take part in it.
    """

    name: str
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a conditional update does to a document. Paths may not overlap.

    `set` writes values, `increment` adds numbers (a missing field counts as 0), `unset` removes
    fields. Missing parent objects are created.
    """

    set: Mapping[str, Any] = field(default_factory=dict)
    increment: Mapping[str, int | float] = field(default_factory=dict)
    unset: Sequence[str] = ()


class Documents(Protocol):
    """A store of documents. Every method raises StoreError when the store cannot be reached."""

    async def prepare(self, collections: Sequence[Collection]) -> None:
        """Create collections and indexes that are missing; safe to call from many processes."""

    async def unprepared(self, collections: Sequence[Collection]) -> list[str]:
        """Names of those collections that lack a table or an index; `prepare` makes them."""

    async def get(self, collection: Collection, doc_id: str) -> Document | None:
        """The document with this `_id`, or None."""

    def find(
        self, collection: Collection, where: Where, *, sort: Sort, limit: int | None = None
    ) -> AsyncGenerator[Document, None]:
        """Matching documents in sorted order, streamed: memory does not grow with the result.

        Who stops early closes it (`contextlib.aclosing`): left to itself, a long result gives its
        connection back only when the event loop comes to it, and not at all if the loop ends first.
        """

    async def insert(self, collection: Collection, document: Document) -> bool:
        """Store a new document; False (and nothing stored) when `_id` or a unique key exists."""

    async def put_many(self, collection: Collection, documents: Sequence[Document]) -> int:
        """Insert or wholly replace by `_id`; returns how many were new or changed.

        Each document is atomic by itself. Raises ConflictError when a unique key other than
        `_id` is taken by another document; the documents before it may have been stored.
        """

    async def update(
        self, collection: Collection, doc_id: str, change: Change, *, where: Where | None = None
    ) -> bool:
        """Change one document if it exists and fulfils `where`, atomically; tells whether it did.

        Raises ConflictError when the change would break a unique key.
        """

    async def update_many(self, collection: Collection, where: Where, change: Change) -> int:
        """Apply one change to all matching documents; returns how many matched."""

    async def groups(
        self, collection: Collection, by: GroupBy, where: Where
    ) -> list[tuple[tuple[Any, ...], int]]:
        """How many matching documents hold each combination of values, in no order.

        Sub-documents are equal whatever the order of their keys. Raises ValueError without a path.
        """

    async def delete(self, collection: Collection, where: Where) -> int:
        """Remove matching documents; returns how many. An empty `where` raises ValueError."""

    async def close(self) -> None:
        """Release connections; the object is unusable afterwards."""


_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


def storable(value: Any) -> Any:
    """The value in the form both stores keep without loss.

    Datetimes become UTC milliseconds precise, dates become "YYYY-MM-DD" text, text loses NUL and
    lone surrogates, tuples become lists. Raises TypeError for types that do not survive a round
    trip (sets, Decimal, bytes) and ValueError for naive datetimes, NaN, infinities, integers
    beyond 64 bits and keys that are empty, hold a dot or begin with a dollar sign.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _storable_number(value)
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, datetime):
        return to_milliseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_storable_key(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be stored in a document")


def _storable_number(value: int | float) -> int | float:
    if isinstance(value, int):
        if not _INT64_MIN <= value <= _INT64_MAX:
            raise ValueError("integers beyond 64 bits cannot be stored")
        return int(value)
    if not math.isfinite(value):
        raise ValueError("NaN and infinities cannot be stored")
    return value + 0.0  # PostgreSQL knows no negative zero


def _storable_key(key: Any) -> str:
    name = clean(str(key))
    if not name or "." in name or name.startswith("$"):
        raise ValueError("a key may not be empty, hold a dot or begin with a dollar sign")
    return name
