"""A file back into an installation: checked before, compared after, repeatable in between."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from medai.errors import ConflictError, NotFoundError, StoreError
from medai.infra.documents import Collection, Not
from medai.infra.jsonb import decode
from medai.infra.postgres import advisory_lock
from medai.processing.schedule.memory import SCHEDULE
from medai.processing.transfer.checking import check_archive, in_order, listed_files
from medai.processing.transfer.lines import Tally, document_line, effect_of
from medai.processing.transfer.manifest import (
    LEDGER,
    Lines,
    ListedFile,
    Manifest,
    collection_entry,
    file_entry,
)
from medai.processing.transfer.marker import ImportMarker, Marker
from medai.processing.transfer.packing import Installation, Said, refuse_at_work
from medai.processing.transfer.reading import ArchiveReader, opened_archive

_MOST_TOGETHER = 200
_MOST_BYTES_TOGETHER = 4 * 1024 * 1024
_LOCK = "import-data"
_TRACES = frozenset({SCHEDULE.name})
"""What a service leaves that was started and never had a clinic."""


class Unpacking:
    """Reads archives into the installation."""

    def __init__(self, installation: Installation) -> None:
        self._of = installation
        self._marker = ImportMarker(installation.documents)

    async def unpack(self, path: Path, *, replace: bool, said: Said) -> Manifest:
        """Store everything the archive holds; broken off, it is repeated with the same archive.

        `replace` removes what the installation held before. Raises InvalidInputError for an
        archive that is not whole (nothing is written then), ConflictError for an installation that
        works or holds data, StoreError when the store fails or keeps something else.
        """
        with opened_archive(path) as archive:
            await check_archive(archive, self._of.names)
            async with advisory_lock(self._of.pool, _LOCK):
                await self._begin(archive, replace)
                if archive.manifest.files:
                    await self._files(archive, archive.manifest.files, said)
                await self._ledger(archive)
                await self._collections(archive, said)
                await self._marker.clear()
        return archive.manifest

    async def _begin(self, archive: ArchiveReader, replace: bool) -> None:
        """Note the import, so that nobody starts to work; empty the installation if asked."""
        await refuse_at_work(self._of)
        marker = await self._marker.read()
        if marker is None or marker.archive != archive.digest:
            if not replace:
                await self._refuse_data(marker)
            marker = Marker(archive=archive.digest, wiped=False)
            await self._marker.set(marker)
        await refuse_at_work(self._of)  # who opened the stores before the note does not know it
        if not marker.wiped:
            for one in self._of.collections:
                await self._of.documents.delete(one, {"_id": Not(None)})
            await self._marker.wiped()

    async def _refuse_data(self, marker: Marker | None) -> None:
        if marker is not None:
            raise ConflictError(
                "Сюда не до конца перенесён другой архив: повторите с ним"
                " или начните заново с --replace"
            )
        for one in self._of.collections:
            if one.name not in _TRACES:
                async for _ in self._of.documents.find(one, {}, sort=(), limit=1):
                    raise ConflictError(
                        f"В хранилище уже есть данные ({one.name}): выберите пустое"
                        " или добавьте --replace, тогда они будут удалены"
                    )

    async def _collections(self, archive: ArchiveReader, said: Said) -> None:
        marker = await self._marker.read()
        done = list(marker.done) if marker else []
        told = {one.name: one for one in archive.manifest.collections}
        for one in in_order(self._of.collections):
            if one.name in told and one.name not in done:
                await self._collection(archive, one, told[one.name])
                done.append(one.name)
                await self._marker.done(done)
                said(one.name, told[one.name].lines)

    async def _collection(self, archive: ArchiveReader, one: Collection, told: Lines) -> None:
        meant = Tally()
        for lines in _parts(archive.lines(collection_entry(one.name), told)):
            documents = [decode(line.decode()) for line in lines]
            for document in documents:
                meant.add(document_line(one.name, document)[0])
            await self._of.documents.put_many(one, documents)
        if await self._stored(one) != meant.total(one.name):
            raise StoreError(
                f"Записанное в {one.name} не совпадает с архивом: проверьте хранилище"
                " и повторите medai import-data"
            )

    async def _stored(self, one: Collection) -> Lines:
        """What the store keeps, read anew."""
        tally = Tally()
        async for document in self._of.documents.find(one, {}, sort=[("_id", 1)]):
            tally.add(document_line(one.name, document)[0])
        return tally.total(one.name)

    async def _ledger(self, archive: ArchiveReader) -> None:
        for lines in _parts(archive.lines(LEDGER, archive.manifest.ledger)):
            effects = [effect_of(line) for line in lines]
            await self._of.effects.restore(effects)
            if await self._of.effects.missing(effects):
                raise StoreError("Журнал расходов записан не весь: повторите medai import-data")

    async def _files(self, archive: ArchiveReader, told: Lines, said: Said) -> None:
        for one in listed_files(archive, told):
            if await self._digest(one.name) != one.sha256:
                content = b"".join(archive.chunks(file_entry(one.name), one.bytes))
                await self._of.files.write(one.name, content)
                await self._compare(one)
        said("files", told.lines)

    async def _compare(self, one: ListedFile) -> None:
        if await self._digest(one.name) != one.sha256:
            raise StoreError(f"Файл {one.name} записан не таким: проверьте хранилище файлов")

    async def _digest(self, name: str) -> str:
        """SHA-256 of a stored file, empty when there is none."""
        found = hashlib.sha256()
        content: AsyncIterator[bytes] = self._of.files.stream(name)
        try:
            async for chunk in content:
                found.update(chunk)
        except NotFoundError:
            return ""
        return found.hexdigest()


def _parts(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines in parts of bounded count and size."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) == _MOST_TOGETHER or size + len(line) > _MOST_BYTES_TOGETHER):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part
