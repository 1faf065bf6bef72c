"""Which of several documents with one key is kept (contract 2: a dump may hold duplicates).

Two readings before anything is written: the first keeps eight bytes a document, the second what
is needed of those whose key occurs twice. The plan depends on the dump alone, so an upgrade that
is begun again decides the same.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from medai.infra.documents import Document
from medai.kit.ids import stable_id
from medai.migration.models import Context, Converted, Kind, Raw, Refused, source_of

Pages = Callable[[], AsyncIterator[list[Raw]]]


class _Candidate(NamedTuple):
    """Compared from the left: the fullest is kept, of equal ones the first of the dump."""

    rank: tuple[float, ...]
    place: int
    source: str
    doc_id: str
    facts: Document


@dataclass(slots=True)
class Plan:
    """`kept` maps the source of a kept document to the facts of its copies, `copies` the source
    of a copy to the id of the kept document, `renamed` sources whose id another document has."""

    kept: dict[str, list[Document]] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def id_of(self, source: str, doc_id: str) -> str:
        """The id under which a document is stored."""
        return self.renamed.get(source, doc_id)


async def planned(kind: Kind, pages: Pages, context: Context) -> Plan:
    """The plan of a collection."""
    keys, ids = array("Q"), array("Q")
    async for page in pages():
        for raw in page:
            found = converted(kind, raw, context)
            if isinstance(found, Converted):
                keys.append(_hash(*found.key))
                ids.append(_hash(found.document["_id"]))
    twice, same_id = _repeated(keys), _repeated(ids)
    if not twice and not same_id:
        return Plan()
    return await _compared(kind, pages, context, twice, same_id)


def converted(kind: Kind, raw: Raw, context: Context) -> Converted | Refused:
    """The clean document; one of ours is taken as it is and wins over any other."""
    if kind.is_ours(raw):
        return Converted(dict(raw), _key_of_ours(kind, raw), (float("inf"),))
    try:
        return kind.convert(raw, context)
    except (ValueError, TypeError, OverflowError):  # pydantic's ValidationError is a ValueError
        return Refused("unreadable")


async def _compared(
    kind: Kind, pages: Pages, context: Context, twice: set[int], same_id: set[int]
) -> Plan:
    groups: dict[tuple[str, ...], list[_Candidate]] = defaultdict(list)
    owners: dict[str, tuple[str, ...]] = {}
    plan = Plan()
    for_ids: list[tuple[str, str, tuple[str, ...]]] = []
    async for page in pages():
        for raw in page:
            found = converted(kind, raw, context)
            if isinstance(found, Refused):
                continue
            doc_id, source = found.document["_id"], source_of(raw)
            if _hash(*found.key) in twice:
                group = groups[found.key]
                group.append(_Candidate(found.rank, -len(group), source, doc_id, found.facts))
            if _hash(doc_id) in same_id:
                for_ids.append((source, doc_id, found.key))
    for source, doc_id, key in for_ids:
        if owners.setdefault(doc_id, key) != key:
            plan.renamed[source] = stable_id("renamed", kind.name, source)
    for group in groups.values():
        _decide(plan, group)
    return plan


def _decide(plan: Plan, group: list[_Candidate]) -> None:
    best, *others = sorted(group, key=lambda one: (one.rank, one.place), reverse=True)
    if not others:
        return
    plan.kept[best.source] = [one.facts for one in others]
    for one in others:
        plan.copies[one.source] = plan.id_of(best.source, best.doc_id)


def _key_of_ours(kind: Kind, raw: Raw) -> tuple[str, ...]:
    (paths, *_) = kind.collection.unique
    return tuple(str(raw.get(path)) for path in paths)


def _hash(*parts: str) -> int:
    joined = "\x1f".join(parts).encode(errors="replace")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest())


def _repeated(hashes: "array[int]") -> set[int]:
    """Those that occur twice. Two keys of one hash are only compared for nothing."""
    return set(_neighbours(sorted(hashes)))


def _neighbours(hashes: list[int]) -> Iterator[int]:
    for before, after in pairwise(hashes):
        if before == after:
            yield after
