"""A report on its way to the rendering process: compressed, and read there piece by piece.

The recommendations of 50,000 calls are 85 MB as objects and 6 MB packed; a workbook is written
row by row, so that nobody needs them all at once.
"""

import pickle
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from medai.kit.chunks import chunks
from medai.reports.models import AdministratorAdvice, ReportContent

_CALLS_PER_PIECE = 500
_FASTEST = 1


@dataclass(frozen=True, slots=True)
class PackedReport:
    """`frame` is the report without its recommendations."""

    frame: ReportContent
    pieces: tuple[bytes, ...]

    def advice(self) -> Iterator[AdministratorAdvice]:
        """The recommendations in their order; an administrator with many calls comes in parts."""
        for piece in self.pieces:
            # Packed by the parent process a moment ago, never by anybody else.
            yield pickle.loads(zlib.decompress(piece))  # noqa: S301


def packed(content: ReportContent) -> PackedReport:
    """The report ready to be sent. Takes a second for 50,000 calls."""
    pieces = (
        zlib.compress(pickle.dumps(replace(person, calls=tuple(calls))), _FASTEST)
        for person in content.advice
        for calls in chunks(person.calls, _CALLS_PER_PIECE)
    )
    return PackedReport(replace(content, advice=()), tuple(pieces))
