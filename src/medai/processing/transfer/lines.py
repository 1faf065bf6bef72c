"""Documents as lines of text: one text for equal documents, so digests can be compared.

Values stand as in `infra.jsonb`: a moment is {"$date": milliseconds}, keys are sorted, 1 and 1.0
differ, null and a missing key differ.
"""

import hashlib
import json
from typing import Any

from medai.errors import InvalidInputError, StoredDataError
from medai.infra.documents import Document, storable
from medai.infra.jsonb import canonical, decode
from medai.ledger.models import Effect
from medai.processing.transfer.manifest import Lines

LONGEST_LINE_BYTES = 32 * 1024 * 1024
"""Twice what MongoDB takes as one document."""
_DEEPEST = 100
"""MongoDB takes no deeper nesting."""


class Tally:
    """Count, size and SHA-256 of lines."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._lines = 0
        self._bytes = 0

    def add(self, line: bytes) -> None:
        """Take in one line with its line break."""
        self._hash.update(line)
        self._lines += 1
        self._bytes += len(line)

    def total(self, name: str) -> Lines:
        """What was taken in so far."""
        return Lines(name=name, lines=self._lines, bytes=self._bytes, sha256=self._hash.hexdigest())


def text_line(value: Any) -> bytes:
    """Any storable value as a line."""
    return canonical(value).encode() + b"\n"


def document_line(collection: str, document: Document) -> tuple[bytes, bool]:
    """(the line, whether characters had to be replaced that our stores do not keep).

    Raises StoredDataError for a document that no store of ours would take: an old one.
    """
    try:
        kept = _kept(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoredDataError(
            f"Документ {str(document.get('_id'))[:64]!r} в {collection} прежнего вида"
            " или изменён вручную: выполните medai db upgrade и повторите"
        ) from error
    line = text_line(kept)
    if len(line) > LONGEST_LINE_BYTES:
        raise StoredDataError(
            f"Документ {document['_id']!r} в {collection} больше"
            f" {LONGEST_LINE_BYTES // 2**20} МБ: ни одно хранилище его не примет"
        )
    return line, kept != document


def document_of(line: bytes) -> Document:
    """The document behind a line. Raises ValueError when it is none that we write.

    Its texts may hold what a former version did not replace yet: stores do that.
    """
    try:
        found = decode(line.decode())
        if not isinstance(found, dict) or text_line(found) != line:
            raise ValueError("not written by us")
        _kept(found)
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError("not a document") from error
    return found


def effect_line(effect: Effect) -> bytes:
    """A line of the ledger as a line."""
    return text_line(effect.model_dump(mode="json"))


def effect_of(line: bytes) -> Effect:
    """The ledger's line behind a line. Raises ValueError when it is none."""
    return Effect.model_validate_json(line)


def same(found: Lines, told: Lines) -> None:
    """Raises InvalidInputError when what was read is not what the manifest tells."""
    if found != told:
        raise InvalidInputError(
            f"Архив повреждён: {told.name} не совпадает с оглавлением;"
            " возьмите другую копию, ничего не записано"
        )


def _kept(document: Document) -> Document:
    if not isinstance(document.get("_id"), str) or not document["_id"]:
        raise ValueError("a document needs a text `_id`")
    kept: Document = storable(document)
    if _depth(kept) > _DEEPEST:
        raise ValueError("nested too deep")
    return kept


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def parsed(text: bytes) -> Any:
    """Plain JSON. Raises ValueError."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
