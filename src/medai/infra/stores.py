"""Opening the stores that the settings name: PostgreSQL, documents, files."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from psycopg.conninfo import make_conninfo

from medai.errors import MedaiError
from medai.infra.documents import Documents
from medai.infra.embedded import EmbeddedPostgres
from medai.infra.files import Files
from medai.infra.mongo import MongoDocuments
from medai.infra.object_files import open_files
from medai.infra.postgres import SERVICE_NAME, Pool, open_pool
from medai.infra.postgres_documents import PostgresDocuments
from medai.settings import Settings

_log = structlog.get_logger(__name__)

_POOL_CONNECTIONS = 16
_LOOK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Stores:
    """Open stores. `dsn` is the libpq address of the PostgreSQL behind `pool`."""

    dsn: str
    pool: Pool
    documents: Documents
    files: Files


async def open_stores(
    settings: Settings, resources: AsyncExitStack, *, name: str = SERVICE_NAME
) -> Stores:
    """Connect to every store; `resources` closes them. PostgreSQL shows us under `name`.

    Raises StoreError, SettingsError.
    """
    dsn = await postgres_dsn(settings, resources)
    pool = await open_pool(dsn, max_size=_POOL_CONNECTIONS, name=name)
    resources.push_async_callback(pool.close)
    documents = documents_of(settings, pool)
    resources.push_async_callback(documents.close)
    files = files_of(settings)
    return Stores(dsn, pool, documents, files)


async def postgres_dsn(settings: Settings, resources: AsyncExitStack) -> str:
    """The address of the named server, or of our own one, which is started."""
    if settings.postgres_dsn.get_secret_value():
        return settings.postgres_dsn.get_secret_value()
    if settings.postgres_host:
        return make_conninfo(
            host=settings.postgres_host,
            port=settings.postgres_port,
            dbname=settings.postgres_db,
            user=settings.postgres_user,
            password=settings.postgres_password.get_secret_value(),
        )
    server = EmbeddedPostgres(settings.data_dir / "pg")
    dsn = await asyncio.to_thread(server.start)
    resources.callback(server.stop)
    watching = asyncio.create_task(_keep_alive(server))
    resources.push_async_callback(_ended, watching)
    return dsn


async def _keep_alive(server: EmbeddedPostgres) -> None:
    """Bring the server back whenever it has died: nobody else looks after it. Endless."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            if await asyncio.to_thread(server.revive):
                _log.warning("embedded PostgreSQL had died and was started again")
        except MedaiError as error:
            _log.error("embedded PostgreSQL does not start", reason=error.message)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def files_of(settings: Settings) -> Files:
    """The store of files. Raises SettingsError, StoreError."""
    return open_files(settings.data_dir / "files", settings.medai_files_url)


def documents_of(settings: Settings, pool: Pool) -> Documents:
    """The store of documents; the caller closes it. Raises SettingsError."""
    if settings.mongodb_uri:
        return MongoDocuments(settings.mongodb_uri, settings.mongodb_name)
    return PostgresDocuments(pool)
