"""A restored dump as it lies in MongoDB: documents with ids of any type, moved as whole
collections. Only the upgrade reads it; everybody else knows the document port.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bson.codec_options import DatetimeConversion
from pymongo import AsyncMongoClient
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from medai.infra.document_rules import identified
from medai.infra.documents import Document
from medai.infra.mongo_client import address_errors, refusal

Raw = Mapping[str, Any]
_SERVER_SELECTION_MS = 10_000
_DUPLICATE_KEY = 11000
LENIENT: Mapping[str, Any] = {
    "tz_aware": True,
    "datetime_conversion": DatetimeConversion.DATETIME_AUTO,
    "unicode_decode_error_handler": "replace",
}
"""How old documents are read: moments beyond the year 9999 and broken texts stop nothing."""


class MongoDump:
    """Raw collections of one database. Every method raises StoreError; the caller closes it.

    Raises SettingsError for a URI that cannot be read.
    """

    def __init__(self, uri: str, database: str) -> None:
        with address_errors():
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                uri, serverSelectionTimeoutMS=_SERVER_SELECTION_MS, **LENIENT
            )
        self._database = self._client.get_database(
            database, write_concern=WriteConcern(w="majority", j=True)
        )

    async def names(self) -> set[str]:
        """The collections there are."""
        with _store_errors():
            return set(await self._database.list_collection_names())

    async def count(self, name: str) -> int:
        """About how many documents a collection has."""
        with _store_errors():
            return await self._database[name].estimated_document_count()

    async def lacks(self, name: str, field: str) -> bool:
        """Whether some document has no such field; by its index, where there is one."""
        with _store_errors():
            return await self._database[name].find_one({field: None}, {"_id": 1}) is not None

    async def pages(
        self, name: str, size: int, *, start: int = 0, fields: Sequence[str] = ()
    ) -> AsyncIterator[list[Raw]]:
        """All documents in the order of `_id`, whatever its types, from the one numbered `start`;
        with `fields`, only these of them."""
        wanted = dict.fromkeys(fields, 1) or None
        with _store_errors():
            found = self._database[name].find({}, wanted, sort=[("_id", 1)], skip=start)
            async with found.allow_disk_use(True).batch_size(size) as cursor:
                page: list[Raw] = []
                async for document in cursor:
                    page.append(document)
                    if len(page) == size:
                        yield page
                        page = []
                if page:
                    yield page

    async def with_ids(self, name: str, ids: Sequence[Any]) -> list[Raw]:
        """Documents by id, in the order of ids."""
        if not ids:
            return []
        with _store_errors():
            found = self._database[name].find({"_id": {"$in": list(ids)}}, sort=[("_id", 1)])
            return [document async for document in found]

    async def rename(self, name: str, other: str) -> None:
        """Move a collection at once; the other name is free."""
        with _store_errors():
            await self._database[name].rename(other)

    async def add(self, name: str, documents: Sequence[Document]) -> int:
        """Store documents; one whose `_id` is there already stays as it is. Returns how many are
        new. Raises StoreError when another key than `_id` is taken."""
        stored = [identified(document) for document in documents]
        if not stored:
            return 0
        with _store_errors():
            try:
                await self._database[name].insert_many(stored, ordered=False)
            except BulkWriteError as error:
                failed = (error.details or {}).get("writeErrors", [])
                if not failed or not all(map(_is_there, failed)):
                    raise
                return len(stored) - len(failed)
        return len(stored)

    async def state(self, name: str, doc_id: str) -> Document | None:
        """A document of a collection of the upgrade's own."""
        with _store_errors():
            return await self._database[name].find_one({"_id": doc_id})

    async def set_state(self, name: str, document: Document) -> None:
        """Write or replace such a document."""
        with _store_errors():
            stored = identified(document)
            await self._database[name].replace_one({"_id": stored["_id"]}, stored, upsert=True)

    async def drop(self, name: str) -> None:
        """Remove a collection for good."""
        with _store_errors():
            await self._database[name].drop()

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _is_there(failure: Mapping[str, Any]) -> bool:
    is_id = "_id" in failure.get("keyPattern", {}) or "_id_" in str(failure.get("errmsg", ""))
    return failure.get("code") == _DUPLICATE_KEY and is_id


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise refusal(error) from error
