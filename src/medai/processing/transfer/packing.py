"""An installation into one file, document by document."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from medai import __version__
from medai.errors import ConflictError, InvalidInputError, NotFoundError, StoredDataError
from medai.infra.documents import Collection, Documents
from medai.infra.files import Files
from medai.infra.object_files import checked
from medai.infra.postgres import Pool, others_at_work
from medai.kit.clock import Clock
from medai.ledger.copying import EffectCopies
from medai.processing.transfer.checking import LARGEST_FILE_BYTES, check_archive
from medai.processing.transfer.lines import Tally, document_line, effect_line, text_line
from medai.processing.transfer.manifest import (
    FILE_LIST,
    LEDGER,
    MANIFEST,
    Lines,
    ListedFile,
    Manifest,
    collection_entry,
    file_entry,
)
from medai.processing.transfer.marker import refuse_unfinished
from medai.processing.transfer.reading import opened_archive
from medai.processing.transfer.writing import ArchiveWriter, new_archive, writing

_SHRINKING = (".json", ".txt", ".md", ".jsonl")
"""Recordings, PDF and Excel are packed already."""

Said = Callable[[str, int], None]
"""Takes a collection's name and how many documents it has."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is moved. `keys` is the fingerprint of its encryption keys."""

    documents: Documents
    files: Files
    effects: EffectCopies
    pool: Pool
    collections: tuple[Collection, ...]
    keys: str
    clock: Clock

    @property
    def names(self) -> set[str]:
        """Names of all collections."""
        return {one.name for one in self.collections}


async def refuse_at_work(installation: Installation, advice: str = "") -> None:
    """Raises ConflictError while other processes of the service stand on the database."""
    if others := await others_at_work(installation.pool):
        raise ConflictError(
            f"С базой работают процессы medai (соединений: {others}): остановите службу, бота и"
            f" обработчики (medai run, api, worker, bot) и повторите{advice}"
        )


class Packing:
    """Writes archives."""

    def __init__(self, installation: Installation) -> None:
        self._of = installation
        self._cleaned = 0

    async def pack(self, target: Path, *, files: bool, live: bool, said: Said) -> Manifest:
        """Write the archive and read it to the end before it takes its name.

        With `live` the service may go on meanwhile: collections are then of different moments.
        Raises ConflictError, StoredDataError, StoreError, InvalidInputError.
        """
        await refuse_unfinished(self._of.documents)
        at_work = await others_at_work(self._of.pool) > 0
        if at_work and not live:
            await refuse_at_work(self._of, "; для копии на ходу добавьте --live")
        with new_archive(target) as draft:
            with writing(draft) as archive:
                manifest = await self._written(archive, files, at_work, said)
            with opened_archive(draft) as written:
                await check_archive(written, self._of.names)
        return manifest

    async def _written(
        self, archive: ArchiveWriter, files: bool, at_work: bool, said: Said
    ) -> Manifest:
        collections = [await self._collection(archive, one, said) for one in self._calls_first()]
        manifest = Manifest(
            program=__version__,
            made_at=self._of.clock(),
            live=at_work,
            keys=self._of.keys,
            cleaned=self._cleaned,
            collections=tuple(collections),
            ledger=await self._ledger(archive),
            files=await self._files(archive, said) if files else None,
        )
        with archive.entry(MANIFEST) as entry:
            entry.write(manifest.model_dump_json(indent=1).encode())
        return manifest

    def _calls_first(self) -> list[Collection]:
        """Of a working service: what a call tells to be done is then there too, or newer."""
        return sorted(self._of.collections, key=lambda one: (one.name != "calls", one.name))

    async def _collection(self, archive: ArchiveWriter, one: Collection, said: Said) -> Lines:
        tally = Tally()
        with archive.entry(collection_entry(one.name)) as entry:
            async for document in self._of.documents.find(one, {}, sort=[("_id", 1)]):
                line, cleaned = document_line(one.name, document)
                self._cleaned += cleaned
                tally.add(line)
                entry.write(line)
        total = tally.total(one.name)
        said(one.name, total.lines)
        return total

    async def _ledger(self, archive: ArchiveWriter) -> Lines:
        tally = Tally()
        with archive.entry(LEDGER) as entry:
            async for effect in self._of.effects.all():
                line = effect_line(effect)
                tally.add(line)
                entry.write(line)
        return tally.total("ledger")

    async def _files(self, archive: ArchiveWriter, said: Said) -> Lines:
        tally, listed = Tally(), list[bytes]()
        async for name in self._file_names():
            if one := await self._file(archive, name):
                listed.append(text_line(one.model_dump()))
        with archive.entry(FILE_LIST) as entry:
            for line in listed:
                tally.add(line)
                entry.write(line)
        said("files", len(listed))
        return tally.total("files")

    async def _file_names(self) -> AsyncIterator[str]:
        names = [name async for name, _ in self._of.files.names("")]
        for name in sorted(names):
            try:
                yield checked(name)
            except InvalidInputError:
                continue  # nothing of ours: no command could open it

    async def _file(self, archive: ArchiveWriter, name: str) -> ListedFile | None:
        """Store one file; None when a working service has just removed it."""
        try:
            size = await self._of.files.size(name)
            content = self._of.files.stream(name)
            chunk = await anext(content, b"")
        except NotFoundError:
            return None
        if size > LARGEST_FILE_BYTES:
            raise StoredDataError(f"Файл {name} больше 1 ГБ: в архив он не поместится")
        found, written = hashlib.sha256(), 0
        with archive.entry(file_entry(name), packed=name.endswith(_SHRINKING)) as entry:
            while chunk:
                found.update(chunk)
                written += len(chunk)
                entry.write(chunk)
                chunk = await anext(content, b"")
        return ListedFile(name=name, bytes=written, sha256=found.hexdigest())
