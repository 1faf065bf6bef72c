"""A MongoDB database as files and back, byte for byte, without knowing what is in it.

The files are those of mongodump (`<database>/<collection>.bson`, whole documents one after the
other), so `mongorestore` reads them as well. Indexes are not kept: the service makes its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from medai.errors import ConflictError, InvalidInputError, StoreError
from medai.infra.mongo_client import address_errors

_SUFFIX = ".bson"
_BATCH = 500
_SERVER_SELECTION_MS = 10_000
_RAW = CodecOptions(document_class=RawBSONDocument)

Counts = dict[str, int]
"""Documents by collection."""


def dump(uri: str, database: str, folder: Path) -> Counts:
    """Write every collection of the database below `folder`, which must not have one of this name.

    Raises StoreError when the server or the disk refuses.
    """
    with _errors(), _opened(uri, database) as opened:
        target = folder / database
        target.mkdir(parents=True)
        return {name: _written(opened[name], _file(target, name)) for name in _names(opened)}


def load(uri: str, database: str, folder: Path, *, replace: bool) -> Counts:
    """Make the database what `dump` has written to `folder`; other collections are dropped.

    Raises ConflictError for a database that holds something, unless `replace`; InvalidInputError
    for files that cannot be read; StoreError.
    """
    files = {unquote(path.stem): path for path in sorted(_dumped(folder).glob(f"*{_SUFFIX}"))}
    with _errors(), _opened(uri, database) as opened:
        present = _names(opened)
        if present and not replace:
            raise ConflictError("В MongoDB уже есть документы: восстановление их заменит (replace)")
        for name in present:
            opened.drop_collection(name)
        return {name: _read(opened[name], path) for name, path in files.items()}


def _dumped(folder: Path) -> Path:
    """The only database of the folder: it may have had another name where it was written."""
    found = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    if len(found) != 1:
        raise InvalidInputError(f"Копия MongoDB не читается: в {folder} нет одной папки базы")
    return found[0]


def _names(database: Database[RawBSONDocument]) -> list[str]:
    found = database.list_collection_names(filter={"type": "collection"})
    return sorted(name for name in found if not name.startswith("system."))


def _file(folder: Path, collection: str) -> Path:
    return folder / f"{quote(collection, safe='')}{_SUFFIX}"


def _written(collection: Collection[RawBSONDocument], path: Path) -> int:
    count = 0
    with path.open("xb") as file:
        for document in collection.find():
            file.write(document.raw)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _read(collection: Collection[RawBSONDocument], path: Path) -> int:
    count = 0
    batch: list[RawBSONDocument] = []
    with path.open("rb") as file:
        try:
            for document in decode_file_iter(file, _RAW):
                batch.append(document)
                if len(batch) == _BATCH:
                    count += _inserted(collection, batch)
                    batch = []
        except BSONError as error:
            raise InvalidInputError(f"Копия MongoDB повреждена: {path.name}") from error
    return count + _inserted(collection, batch)


def _inserted(collection: Collection[RawBSONDocument], batch: list[RawBSONDocument]) -> int:
    if batch:
        collection.insert_many(batch)
    return len(batch)  # the driver names no ids of raw documents


@contextmanager
def _opened(uri: str, name: str) -> Iterator[Database[RawBSONDocument]]:
    # An argument would win over what the address asks for.
    asked = "serverselectiontimeoutms" in uri.lower()
    waiting: dict[str, Any] = {} if asked else {"serverSelectionTimeoutMS": _SERVER_SELECTION_MS}
    with address_errors():
        client: MongoClient[Any] = MongoClient(uri, **waiting)
    with client:
        yield client.get_database(name, _RAW, write_concern=WriteConcern(w="majority", j=True))


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        # The driver's words may repeat parts of the address.
        raise StoreError("MongoDB не отвечает или отказала: проверьте MONGODB_URI") from error
    except OSError as error:
        raise StoreError(f"Файлы копии: {error.strerror}; проверьте место на диске") from error
