"""An empty MongoDB database, as raw documents and as the settings of a service over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from tests.fixtures.application import empty_mongodb, settings_for
from tests.migration.old_dump import Doc

from medai.settings import Settings


@pytest.fixture
async def settings(postgres_dsn: str, mongodb_uri: str, tmp_path: Path) -> AsyncIterator[Settings]:
    async with empty_mongodb(mongodb_uri) as store:
        yield settings_for("http://127.0.0.1:9", postgres_dsn, tmp_path / "data", store)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[AsyncDatabase[Doc]]:
    async with AsyncMongoClient[Doc](settings.mongodb_uri, tz_aware=True) as client:
        yield client[settings.mongodb_name]
