"""What both document adapters check before they speak to their store."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from medai.errors import ConflictError
from medai.infra.documents import (
    Change,
    Collection,
    Document,
    GroupBy,
    Present,
    Range,
    Where,
    storable,
)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,63}")
"""As long as a column of PostgreSQL may be called."""


def checked_name(name: str) -> str:
    """A collection name that is safe inside a statement. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a collection name: {name!r}")
    return name


def segments(path: str) -> list[str]:
    """The parts of a field path, each safe inside a statement. Raises ValueError."""
    parts = path.split(".")
    if not all(_SEGMENT.fullmatch(part) for part in parts):
        raise ValueError(f"not a field path: {path!r}")
    return parts


def group_paths(by: GroupBy) -> list[str]:
    """The field paths of a grouping. Raises ValueError when there is none."""
    if not by:
        raise ValueError("name a path to group by")
    return [one.path if isinstance(one, Present) else one for one in by]


def identified(document: Document) -> Document:
    """The storable form of a document. Raises ValueError without a text `_id`."""
    doc_id = document.get("_id")
    if not isinstance(doc_id, str) or not doc_id:
        raise ValueError("a document needs a text `_id`")
    stored: Document = storable(document)
    return stored


def latest_by_id(documents: Sequence[Document]) -> list[Document]:
    """Storable documents sorted by `_id`; of several with one `_id` the last remains.

    One order for all writers means that two of them cannot wait for each other in a circle.
    """
    by_id = {document["_id"]: document for document in map(identified, documents)}
    return [by_id[doc_id] for doc_id in sorted(by_id)]


def checked_change(change: Change) -> Change:
    """The change with storable values. Raises ValueError when empty or overlapping."""
    paths = [*change.set, *change.increment, *change.unset]
    if not paths:
        raise ValueError("an empty change")
    parts = sorted(segments(path) for path in paths)
    for shorter, longer in pairwise(parts):
        if longer[: len(shorter)] == shorter:
            raise ValueError(f"overlapping paths: {'.'.join(shorter)}, {'.'.join(longer)}")
    if any(first == ["_id"] for first in parts):
        raise ValueError("`_id` cannot be changed")
    if any(
        isinstance(n, bool) or not isinstance(n, int | float) for n in change.increment.values()
    ):
        raise ValueError("increments are numbers")
    return Change(
        set={path: storable(value) for path, value in change.set.items()},
        increment={path: storable(value) for path, value in change.increment.items()},
        unset=tuple(change.unset),
    )


def range_bounds(limits: Range) -> dict[str, Any]:
    """The given sides of a range ("at_least", "above", "below", "at_most") as storable values.

    Raises ValueError when the sides are of different kinds or cannot be ordered.
    """
    sides = {name: getattr(limits, name) for name in ("at_least", "above", "below", "at_most")}
    given = {name: storable(value) for name, value in sides.items() if value is not None}
    if len({_kind(value) for value in given.values()}) > 1:
        raise ValueError("the sides of a range are of different types")
    return given


def _kind(value: Any) -> type:
    for kind in (bool, str, datetime):
        if isinstance(value, kind):
            return kind
    if isinstance(value, int | float):
        return float
    raise ValueError(f"{type(value).__name__} has no order")


def refuse_everything(where: Where) -> None:
    """Raise ValueError for a deletion without conditions."""
    if not where:
        raise ValueError("refusing to delete a whole collection: name a condition")


def taken(collection: Collection) -> ConflictError:
    """What to raise when a unique key belongs to another document."""
    return ConflictError(
        f"Такая запись уже есть ({collection.name}): обновите данные и повторите действие"
    )


def unpreparable(collection: Collection) -> ConflictError:
    """What to raise when stored documents already break a unique key that is to be created."""
    return ConflictError(
        f"В коллекции {collection.name} есть повторы ключа: выполните medai db upgrade"
    )


def not_a_number_or_object() -> ValueError:
    """What to raise when a change goes through, or counts on, a value of another type."""
    return ValueError("a change meets a value that is no object (path) or no number (increment)")
