"""Reading a whole archive before anything is written from it."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from medai.errors import InvalidInputError
from medai.infra.documents import Collection
from medai.infra.object_files import checked
from medai.processing.transfer.lines import document_of, effect_of
from medai.processing.transfer.manifest import (
    FILE_LIST,
    LEDGER,
    MANIFEST,
    Lines,
    ListedFile,
    collection_entry,
    file_entry,
)
from medai.processing.transfer.reading import ArchiveReader, damaged

LARGEST_FILE_BYTES = 1024**3
"""A file is in memory once while it is stored."""
_TOGETHER = 100


async def check_archive(archive: ArchiveReader, known: set[str]) -> None:
    """Read every entry to its end and compare it with the manifest.

    `known` are the collections of this version. Raises InvalidInputError.
    """
    manifest = archive.manifest
    foreign = sorted({one.name for one in manifest.collections} - known)
    if foreign:
        raise InvalidInputError(
            f"В архиве есть то, чего эта служба не знает ({', '.join(foreign)}): обновите её"
        )
    expected = {MANIFEST, LEDGER}
    for told in manifest.collections:
        expected.add(collection_entry(told.name))
        await _check_lines(archive, collection_entry(told.name), told, document_of, "_id")
    await _check_lines(archive, LEDGER, manifest.ledger, effect_of, "id")
    count = len(expected)
    if manifest.files:
        count += 1
        for one in listed_files(archive, manifest.files):
            _check_file(archive, one)
            count += 1
            await asyncio.sleep(0)
    if count != len(archive.names) or not expected <= archive.names:
        raise damaged("внутри есть лишнее")


def listed_files(archive: ArchiveReader, told: Lines) -> Iterator[ListedFile]:
    """The files of an archive, in the order of their names. Raises InvalidInputError."""
    last = ""
    for line in archive.lines(FILE_LIST, told):
        one = _read(line, ListedFile.model_validate_json, FILE_LIST)
        checked(one.name)
        if one.name <= last or one.bytes > LARGEST_FILE_BYTES:
            raise damaged("список файлов не такой, как пишет medai export-data")
        last = one.name
        yield one


async def _check_lines(
    archive: ArchiveReader, entry: str, told: Lines, read: Callable[[bytes], Any], key: str
) -> None:
    """Every line can be read, and ids ascend: so none comes twice."""
    last = b""
    for number, line in enumerate(archive.lines(entry, told)):
        found = _read(line, read, entry)
        one_id = str(found[key] if isinstance(found, dict) else getattr(found, key)).encode()
        if one_id <= last:
            raise damaged(f"порядок в {entry} нарушен")
        last = one_id
        if number % _TOGETHER == 0:
            await asyncio.sleep(0)  # an interruption is heard


def _read(line: bytes, read: Callable[[bytes], Any], entry: str) -> Any:
    try:
        return read(line)
    except ValueError as error:
        raise damaged(f"строка в {entry} не читается") from error


def _check_file(archive: ArchiveReader, one: ListedFile) -> None:
    found = hashlib.sha256()
    for chunk in archive.chunks(file_entry(one.name), one.bytes):
        found.update(chunk)
    if found.hexdigest() != one.sha256:
        raise damaged("содержимое файла не совпадает со списком")


def in_order(collections: tuple[Collection, ...]) -> list[Collection]:
    """The order in which collections are written into an installation.

    Calls and clinics come last: whoever looked at an unfinished import would find nothing to do.
    """
    last = {"calls": 1, "clinics": 2}
    return sorted(collections, key=lambda one: (last.get(one.name, 0), one.name))
