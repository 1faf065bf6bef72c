"""Files in a local folder or an S3-compatible store, through one library."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from obstore import delete_async, get_async, head_async, put_async
from obstore import list as list_objects
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from medai.errors import InvalidInputError, NotFoundError, SettingsError, StoreError
from medai.infra.files import Files

_FOLDER = "files"
_OPEN_TO_OTHERS = 0o077
_CHUNK_BYTES = 256 * 1024
_SEGMENT = re.compile(r"[^/\\#\x00-\x1f\x7f]+")
"""No separators, no control characters and no "#", which marks unfinished local files."""
_LONGEST_SEGMENT_BYTES = 240
"""File systems take 255; an unfinished local file has a mark behind its name."""


def open_files(data_dir: Path, url: str) -> Files:
    """The files at `url` ("s3://bucket/prefix"), or in `data_dir`/files when it is empty.

    S3 credentials and endpoint come from the usual AWS_* variables. Raises SettingsError when the
    address cannot be used, StoreError when the folder cannot be made.
    """
    if url:
        try:
            return ObjectFiles(from_url(url))
        except (BaseError, ValueError) as error:
            raise SettingsError(
                "Адрес хранилища файлов не годится: проверьте MEDAI_FILES_URL (s3://корзина/папка)"
            ) from error
    with _errors(_FOLDER):
        folder = data_dir.expanduser().resolve() / _FOLDER
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Patients' voices: other users of the machine must not read them.
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & _OPEN_TO_OTHERS:
            folder.chmod(0o700)  # made by an earlier version, or by hand
        return ObjectFiles(LocalStore(folder))


class ObjectFiles:
    """The `Files` port on an object store. Local files are replaced atomically (rename)."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def write(self, name: str, data: bytes) -> None:
        """See `Files.write`."""
        with _errors(checked(name)):
            await put_async(self._store, name, data)

    async def read(self, name: str) -> bytes:
        """See `Files.read`."""
        with _errors(checked(name)):
            found = await get_async(self._store, name)
            return bytes(await found.bytes_async())

    async def stream(
        self, name: str, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """See `Files.stream`; chunks of about 256 KiB."""
        size = await self.size(name) if end is None and start else end
        with _errors(checked(name)):
            # An empty object has no part at all, not even the whole one.
            part = (start, size) if size is not None else None
            found = await get_async(self._store, name, options={"range": part} if part else None)
            async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)

    async def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        try:
            await self.size(name)
        except NotFoundError:
            return False
        return True

    async def size(self, name: str) -> int:
        """See `Files.size`."""
        with _errors(checked(name)):
            return (await head_async(self._store, name))["size"]

    async def names(self, prefix: str) -> AsyncIterator[tuple[str, datetime]]:
        """See `Files.names`; in no particular order. An empty prefix means everything."""
        folder = checked(prefix.rstrip("/")) if prefix else ""
        with _errors(folder):
            async for batch in list_objects(self._store, prefix=folder or None):
                for found in batch:
                    yield found["path"], found["last_modified"].astimezone(UTC)

    async def delete(self, name: str) -> None:
        """See `Files.delete`."""
        with _errors(checked(name)):
            try:
                await delete_async(self._store, name)
            except FileNotFoundError:
                return


def checked(name: str) -> str:
    """The name if it stays inside the store. Raises InvalidInputError."""
    if not all(_is_segment(part) for part in name.split("/")):
        raise InvalidInputError("Недопустимое имя файла: укажите имя без «..» и лишних «/»")
    return name


def _is_segment(part: str) -> bool:
    if part in {".", ".."} or not _SEGMENT.fullmatch(part):
        return False
    return len(part.encode(errors="surrogatepass")) <= _LONGEST_SEGMENT_BYTES


@contextmanager
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"Файл {name} не найден: он удалён или ещё не создан") from error
    except (BaseError, OSError) as error:
        raise StoreError(
            "Хранилище файлов отказало: проверьте место на диске, права и MEDAI_FILES_URL"
        ) from error
