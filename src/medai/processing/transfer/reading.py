"""Reading an archive that may be damaged, cut short or made to do harm.

Nothing is ever unpacked to a name that the archive tells: documents go to the store, files through
the file store, which checks names by itself.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import ValidationError

from medai.errors import InvalidInputError
from medai.processing.transfer.lines import LONGEST_LINE_BYTES, Tally, parsed, same
from medai.processing.transfer.manifest import MANIFEST, VERSION, Lines, Manifest, Version

_LARGEST_MANIFEST_BYTES = 1024 * 1024
_FREE_BYTES = 64 * 1024 * 1024
_MOST_TIMES = 200
"""An entry larger than 64 MB that unpacks to more than 200 times its size is a bomb: an id of
20 random letters in each document makes ours shrink less."""
_CHUNK_BYTES = 256 * 1024
_BUFFER_BYTES = 64 * 1024
_ENCRYPTED = 0x1


class ArchiveReader:
    """An open archive. Every method raises InvalidInputError for a damaged one."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._entries = _checked_entries(archive)
        self.manifest, self.digest = self._manifest()

    @property
    def names(self) -> frozenset[str]:
        """All entries."""
        return frozenset(self._entries)

    def lines(self, entry: str, told: Lines) -> Iterator[bytes]:
        """The lines of an entry; at its end they must be what the manifest tells."""
        tally = Tally()
        with self._opened(entry, told.bytes) as content:
            buffered = BufferedReader(content, _BUFFER_BYTES)  # type: ignore[type-var]
            while line := buffered.readline(LONGEST_LINE_BYTES + 1):
                if not line.endswith(b"\n"):
                    raise damaged(f"строка в {entry} оборвана или слишком длинна")
                tally.add(line)
                yield line
        same(tally.total(told.name), told)

    def chunks(self, entry: str, size: int) -> Iterator[bytes]:
        """The content of an entry of this size, in parts."""
        with self._opened(entry, size) as content:
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk

    @contextmanager
    def _opened(self, entry: str, size: int) -> Iterator[IO[bytes]]:
        found = self._entries.get(entry)
        if found is None or found.file_size != size:
            raise damaged(f"нет {entry} или его длина другая")
        with archive_errors(), self._archive.open(found) as content:
            yield content

    def _manifest(self) -> tuple[Manifest, str]:
        found = self._entries.get(MANIFEST)
        if found is None or found.file_size > _LARGEST_MANIFEST_BYTES:
            raise damaged("оглавления нет: это не архив medai export-data")
        content = b"".join(self.chunks(MANIFEST, found.file_size))
        tally = Tally()
        tally.add(content)
        return _manifest_of(content), tally.total("manifest").sha256


def _manifest_of(content: bytes) -> Manifest:
    try:
        told = parsed(content)
        version = Version.model_validate(told).version
        if version > VERSION:
            raise InvalidInputError(
                f"Архив вида {version} сделан более новой службой: обновите эту и повторите"
            )
        return Manifest.model_validate_json(content)
    except (ValidationError, ValueError) as error:
        raise damaged("оглавление не читается") from error


@contextmanager
def opened_archive(path: Path) -> Iterator[ArchiveReader]:
    """Open an archive. Raises InvalidInputError when there is none or it is damaged."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInputError(
            f"Архив {path} не открывается: проверьте имя файла и права"
        ) from error
    with file, archive_errors(), ZipFile(file) as archive:
        yield ArchiveReader(archive)


def damaged(reason: str) -> InvalidInputError:
    """What is said of an archive that is not as we made it."""
    return InvalidInputError(
        f"Архив повреждён или обрезан ({reason}): возьмите другую копию, ничего не записано"
    )


@contextmanager
def archive_errors() -> Iterator[None]:
    """Whatever reading a broken archive raises becomes one error of ours."""
    try:
        yield
    except (BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise damaged("не читается как архив") from error


def _checked_entries(archive: ZipFile) -> dict[str, ZipInfo]:
    """Entries by name. Refuses doubles, overlapping, encrypted, foreign and swollen ones."""
    found = archive.infolist()
    entries = {one.filename: one for one in found}
    ordered = sorted(found, key=lambda one: one.header_offset)
    overlapping = any(
        one.header_offset + one.compress_size > after.header_offset
        for one, after in pairwise(ordered)
    )
    if len(entries) != len(found) or overlapping or any(map(_foreign, found)):
        raise damaged("внутри не то, что пишет medai export-data")
    return entries


def _foreign(entry: ZipInfo) -> bool:
    swollen = entry.file_size > max(_FREE_BYTES, _MOST_TIMES * entry.compress_size)
    packed = entry.compress_type in (ZIP_STORED, ZIP_DEFLATED)
    return swollen or not packed or bool(entry.flag_bits & _ENCRYPTED)
