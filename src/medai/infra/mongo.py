"""Documents in MongoDB."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient, IndexModel, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteError,
)
from pymongo.write_concern import WriteConcern

from medai.infra import document_rules as rules
from medai.infra.documents import Change, Collection, Document, GroupBy, Sort, Where, storable
from medai.infra.jsonb import canonical
from medai.infra.mongo_client import address_errors, refusal
from medai.infra.mongo_conditions import changes, condition, group_keys

_CHUNK = 500
_SERVER_SELECTION_MS = 10_000
_DUPLICATE_KEY = 11000
_WRONG_TYPES = {14, 28}
"""TypeMismatch and PathNotViable: a sum with, or a path through, a value of another type."""
_PRESENT = ["number", "string", "date", "bool", "object", "array"]


class MongoDocuments:
    """The `Documents` port on MongoDB 5 or newer; writes wait for a majority and the journal.

    Raises SettingsError for a URI that cannot be read.
    """

    def __init__(self, uri: str, database: str) -> None:
        with address_errors():
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                uri, tz_aware=True, serverSelectionTimeoutMS=_SERVER_SELECTION_MS
            )
        self._database = self._client.get_database(
            database, write_concern=WriteConcern(w="majority", j=True)
        )

    async def prepare(self, collections: Sequence[Collection]) -> None:
        """See `Documents.prepare`; raises ConflictError when stored documents break a key."""
        for collection in collections:
            indexes = list(_indexes(collection))
            if indexes:
                with _store_errors():
                    try:
                        await self._of(collection).create_indexes(indexes)
                    except OperationFailure as error:
                        if error.code != _DUPLICATE_KEY:
                            raise
                        raise rules.unpreparable(collection) from error

    async def unprepared(self, collections: Sequence[Collection]) -> list[str]:
        """See `Documents.unprepared`."""
        missing = []
        for collection in collections:
            wanted = {index.document["name"] for index in _indexes(collection)}
            with _store_errors():
                async with await self._of(collection).list_indexes() as found:
                    names = {index["name"] async for index in found}
            if wanted - names:
                missing.append(collection.name)
        return missing

    async def get(self, collection: Collection, doc_id: str) -> Document | None:
        """See `Documents.get`."""
        with _store_errors():
            return await self._of(collection).find_one({"_id": storable(doc_id)})

    async def find(
        self, collection: Collection, where: Where, *, sort: Sort, limit: int | None = None
    ) -> AsyncGenerator[Document, None]:
        """See `Documents.find`."""
        if limit == 0:
            return  # MongoDB takes 0 for "no limit"
        order = [(path, direction) for path, direction in sort if rules.segments(path)]
        if all(path != "_id" for path, _ in order):
            order.append(("_id", 1))
        with _store_errors():
            found = self._of(collection).find(condition(where), sort=order, limit=limit or 0)
            async with found.allow_disk_use(True) as cursor:
                async for document in cursor:
                    yield document

    async def insert(self, collection: Collection, document: Document) -> bool:
        """See `Documents.insert`."""
        with _store_errors():
            try:
                await self._of(collection).insert_one(rules.identified(document))
            except DuplicateKeyError:
                return False
        return True

    async def put_many(self, collection: Collection, documents: Sequence[Document]) -> int:
        """See `Documents.put_many`."""
        stored = rules.latest_by_id(documents)
        written = 0
        for start in range(0, len(stored), _CHUNK):
            written += await self._put_chunk(collection, stored[start : start + _CHUNK])
        return written

    async def update(
        self, collection: Collection, doc_id: str, change: Change, *, where: Where | None = None
    ) -> bool:
        """See `Documents.update`; raises ValueError when a path meets a value of another type."""
        update = changes(rules.checked_change(change))
        asked = condition({**(where or {}), "_id": doc_id})
        with _store_errors(), _document_errors(collection):
            result = await self._of(collection).update_one(asked, update)
        return result.matched_count == 1

    async def update_many(self, collection: Collection, where: Where, change: Change) -> int:
        """See `Documents.update_many`; atomic for each document by itself."""
        update = changes(rules.checked_change(change))
        with _store_errors(), _document_errors(collection):
            result = await self._of(collection).update_many(condition(where), update)
        return result.matched_count

    async def groups(
        self, collection: Collection, by: GroupBy, where: Where
    ) -> list[tuple[tuple[Any, ...], int]]:
        """See `Documents.groups`."""
        keys = group_keys(by)
        steps: list[dict[str, Any]] = [
            {"$match": condition(where)},
            {"$group": {"_id": keys, "count": {"$sum": 1}}},
        ]
        with _store_errors():
            found = await self._of(collection).aggregate(steps)
            rows = [(tuple(map(row["_id"].get, keys)), row["count"]) async for row in found]
        return _merged(rows)

    async def delete(self, collection: Collection, where: Where) -> int:
        """See `Documents.delete`."""
        rules.refuse_everything(where)
        with _store_errors():
            result = await self._of(collection).delete_many(condition(where))
        return result.deleted_count

    async def close(self) -> None:
        """See `Documents.close`."""
        await self._client.close()

    def _of(self, collection: Collection) -> AsyncCollection[Document]:
        return self._database.get_collection(rules.checked_name(collection.name))

    async def _put_chunk(self, collection: Collection, chunk: Sequence[Document]) -> int:
        requests = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in chunk]
        written = 0
        while requests:
            with _store_errors():
                try:
                    result = await self._of(collection).bulk_write(requests, ordered=True)
                except BulkWriteError as error:
                    done, again = _progress(collection, error)
                    written += done
                    requests = requests[again:]
                    await asyncio.sleep(0)
                else:
                    return written + result.upserted_count + result.modified_count
        return written


def _progress(collection: Collection, error: BulkWriteError) -> tuple[int, int]:
    """How many were written and where to go on after a race; raises ConflictError otherwise.

    Two upserts of one new `_id` may collide; MongoDB tells the loser to repeat.
    """
    failed = (error.details or {}).get("writeErrors", [])
    if not failed or failed[0].get("code") != _DUPLICATE_KEY:
        raise error
    if set(failed[0].get("keyPattern", {})) != {"_id"}:
        raise rules.taken(collection) from error
    details = error.details or {}
    return details.get("nUpserted", 0) + details.get("nModified", 0), failed[0]["index"]


def _merged(rows: list[tuple[tuple[Any, ...], int]]) -> list[tuple[tuple[Any, ...], int]]:
    """To MongoDB, sub-documents with another order of keys are other values."""
    found: dict[str, tuple[tuple[Any, ...], int]] = {}
    for values, count in rows:
        text = canonical(values)
        found[text] = (values, count + found.get(text, (values, 0))[1])
    return list(found.values())


def _indexes(collection: Collection) -> Iterator[IndexModel]:
    for paths in collection.unique:
        present = {path: {"$type": _PRESENT} for path in paths if rules.segments(path)}
        name = "key_" + "_".join(paths)
        yield IndexModel(
            [(path, 1) for path in paths],
            name=name, unique=True, partialFilterExpression=present,
        )  # fmt: skip
    # A partial index does not serve queries that do not repeat its filter, hence one more.
    for paths in dict.fromkeys((*collection.unique, *collection.indexes)):
        keys = [(path, 1) for path in paths if rules.segments(path)]
        yield IndexModel(keys, name="by_" + "_".join(paths))


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise refusal(error) from error


@contextmanager
def _document_errors(collection: Collection) -> Iterator[None]:
    try:
        yield
    except DuplicateKeyError as error:
        raise rules.taken(collection) from error
    except WriteError as error:
        if error.code in _WRONG_TYPES:
            raise rules.not_a_number_or_object() from error
        raise
