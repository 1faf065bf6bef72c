"""Which of several documents with one key is kept (contract 2: a dump may hold duplicates).

Before anything is written the keys are read: sixteen bytes a document are kept, and of those whose
key occurs twice what is needed to choose. The plan depends on the dump alone, so an upgrade that
is begun again decides the same.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from medai.infra.documents import Document
from medai.infra.mongo_dump import MongoDump
from medai.kit.ids import stable_id
from medai.migration.models import Context, Converted, Kind, Raw, Refused, id_of, source_of

PAGE = 500
"""Documents in memory at once, a few megabytes."""


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


async def planned(kind: Kind, dump: MongoDump, source: str, context: Context) -> Plan:
    """The plan of a collection."""
    keys, ids = array("Q"), array("Q")
    async for page in dump.pages(source, PAGE, fields=kind.fields_read):
        for raw in page:
            keys.append(_hash(*kind.key(raw, context)))
            ids.append(_hash(id_of(raw)))
    suspects = _places_of(keys, _repeated(keys)) | _places_of(ids, _repeated(ids))
    if not suspects:
        return Plan()
    groups: dict[tuple[str, ...], list[_Candidate]] = defaultdict(list)
    named: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    async for raw in _documents_at(dump, source, suspects):
        found = converted(kind, raw, context)
        if isinstance(found, Converted):
            group, doc_id = groups[found.key], found.document["_id"]
            one = _Candidate(found.rank, -len(group), source_of(raw), doc_id, found.facts)
            group.append(one)
            named[doc_id].append((one.source, found.key))
    return _decided(kind, groups.values(), named.items())


def converted(kind: Kind, raw: Raw, context: Context) -> Converted | Refused:
    """The clean document; one of ours is taken as it is and wins over any other."""
    if kind.is_ours(raw):
        return Converted(dict(raw), kind.key(raw, context), (float("inf"),))
    try:
        return kind.convert(raw, context)
    except (ValueError, TypeError, OverflowError):  # pydantic's ValidationError is a ValueError
        return Refused("unreadable")


async def _documents_at(dump: MongoDump, source: str, places: set[int]) -> AsyncIterator[Raw]:
    """The documents at these places of the order of ids, in that order."""
    place = 0
    async for page in dump.pages(source, PAGE, fields=("_id",)):
        wanted = [raw["_id"] for at, raw in enumerate(page, place) if at in places]
        place += len(page)
        for raw in await dump.with_ids(source, wanted):
            yield raw


def _decided(
    kind: Kind,
    groups: Iterable[list[_Candidate]],
    named: Iterable[tuple[str, list[tuple[str, tuple[str, ...]]]]],
) -> Plan:
    plan = Plan()
    for _, holders in named:
        (_, first_key), *others = holders
        for source, key in others:
            if key != first_key:
                plan.renamed[source] = stable_id("renamed", kind.name, source)
    for group in groups:
        _decide(plan, group)
    return plan


def _decide(plan: Plan, group: list[_Candidate]) -> None:
    best, *others = sorted(group, key=lambda one: (one.rank, one.place), reverse=True)
    if not others:
        return
    plan.kept[best.source] = [one.facts for one in others]
    for one in others:
        plan.copies[one.source] = plan.id_of(best.source, best.doc_id)


def _hash(*parts: str) -> int:
    joined = "\x1f".join(parts).encode(errors="replace")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest())


def _places_of(hashes: "array[int]", wanted: set[int]) -> set[int]:
    return {place for place, one in enumerate(hashes) if one in wanted} if wanted else set()


def _repeated(hashes: "array[int]") -> set[int]:
    """Those that occur twice. Two keys of one hash are only compared for nothing."""
    return set(_neighbours(sorted(hashes)))


def _neighbours(hashes: list[int]) -> Iterator[int]:
    for before, after in pairwise(hashes):
        if before == after:
            yield after
