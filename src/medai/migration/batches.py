"""A page of old documents sorted into what is stored where. Pure but for the counting."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from medai.infra.documents import Collection, Document
from medai.kit.ids import stable_id
from medai.migration.folder import MEGABYTE
from medai.migration.models import Context, Kind, Raw, Refused, source_of
from medai.migration.plan import Plan, converted
from medai.migration.report import Tally
from medai.migration.values import plain, size

SET_ASIDE = Collection("upgrade_set_aside", indexes=(("collection", "reason"),))
"""Old documents that were not understood or that another one of their key replaces."""
_CALLS = "calls"
_MOST_BYTES = 15 * MEGABYTE
_LARGE_FIELD_BYTES = 50_000


@dataclass(slots=True)
class Batch:
    """`kept` goes under the collection's own name, `duplicates` are those of calls."""

    kept: list[Document] = field(default_factory=list)
    duplicates: list[Document] = field(default_factory=list)
    aside: list[Document] = field(default_factory=list)


def sorted_out(
    kind: Kind, page: Iterable[Raw], plan: Plan, context: Context, tally: Tally
) -> Batch:
    """Every document of the page goes to exactly one place; the tally counts it."""
    batch = Batch()
    for raw in page:
        tally.read += 1
        shown = str(raw["_id"])
        found = converted(kind, raw, context)
        if isinstance(found, Refused):
            tally.aside += 1
            tally.note(found.reason, shown)
            batch.aside.append(_fitted(_aside(kind, raw, found.reason), "document", tally, shown))
            continue
        for code in found.oddities:
            tally.note(code, shown)
        source = source_of(raw)
        if (kept_id := plan.copies.get(source)) is not None:
            tally.copies += 1
            tally.note("duplicate", shown)
            if kind.name == _CALLS:
                copy = _duplicate(raw, found.document, kept_id)
                batch.duplicates.append(_fitted(copy, "document", tally, shown))
            else:
                copy = _aside(kind, raw, "duplicate", kept_id)
                batch.aside.append(_fitted(copy, "document", tally, shown))
            continue
        document = {**found.document, "_id": plan.id_of(source, found.document["_id"])}
        tally.kept += 1
        tally.ours += kind.is_ours(raw)
        if source in plan.renamed:
            tally.note("id_of_another_document", shown)
        if source in plan.kept:
            document = kind.merge(document, plan.kept[source])
        batch.kept.append(_fitted(document, "legacy", tally, shown))
    return batch


def _fitted(document: Document, part: str, tally: Tally, shown: str) -> Document:
    """What MongoDB takes: values grow when ids become text. Of a document that is too large, the
    large fields of its `part` stay in the archive of old documents only."""
    if size(document) <= _MOST_BYTES:
        return document
    tally.note("too_large", shown)
    fields = document.get(part) or {}
    kept = {name: value for name, value in fields.items() if size(value) <= _LARGE_FIELD_BYTES}
    return {**document, part: kept}


def _duplicate(raw: Raw, document: Document, kept_id: str) -> Document:
    own_id = str(document["_id"])
    transcript = document.get("transcript") or {}
    return {
        # The same id in another type: the kept one answers to it already.
        "_id": own_id if own_id != kept_id else stable_id("copy", source_of(raw)),
        "call_id": kept_id,
        "client_id": document["client_id"],
        "filename": transcript.get("filename"),
        "document": {name: value for name, value in document.items() if name != "_id"},
    }


def _aside(kind: Kind, raw: Raw, reason: str, kept_id: str | None = None) -> Document:
    open_fields = {name: value for name, value in raw.items() if name not in kind.secrets}
    return {
        "_id": f"{kind.name}:{source_of(raw)}",
        "collection": kind.name,
        "reason": reason,
        "kept_id": kept_id,
        "document": plain(open_fields),
    }
