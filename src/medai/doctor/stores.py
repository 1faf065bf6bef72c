"""The stores: PostgreSQL with what the service asks of it, documents, files."""

import asyncio
import secrets
from collections.abc import Iterator

from medai.bootstrap.ground import COLLECTIONS, refuse_old_system
from medai.datalens.schema import condition
from medai.doctor.clocks import compared
from medai.doctor.findings import Finding, ok, problem, warning
from medai.errors import ConflictError
from medai.infra.documents import Documents
from medai.infra.files import Files
from medai.infra.postgres import Pool, dsn_of
from medai.infra.postgres_traits import PostgresTraits, keeps_sessions, read_traits
from medai.kit.clock import Clock
from medai.processing.transfer.marker import refuse_unfinished
from medai.settings import Settings

_UPGRADE = "выполните medai db upgrade или перезапустите службу"
_OLDEST_VERSION = 14
_PROCESS_CONNECTIONS = 32
"""A pool of 16, the job engine's 12, locks."""


async def check_postgres(pool: Pool, clock: Clock) -> list[Finding]:
    """Version, tables, connections, clock, locks. Raises StoreError."""
    traits = await read_traits(pool)
    found = [*_traits(traits), compared("postgres_clock", "PostgreSQL", traits.now, clock())]
    if await keeps_sessions(pool):
        found.append(ok("postgres_sessions", "Блокировки и LISTEN PostgreSQL действуют"))
    else:
        found.append(problem(
            "postgres_sessions",
            "Блокировки или LISTEN не действуют: подключайтесь к PostgreSQL напрямую,"
            " не через пул соединений в режиме transaction",
        ))  # fmt: skip
    return found


def _traits(traits: PostgresTraits) -> Iterator[Finding]:
    if traits.version < _OLDEST_VERSION:
        yield problem(
            "postgres",
            f"PostgreSQL {traits.version} слишком стар: нужен {_OLDEST_VERSION} или новее",
        )
    else:
        yield ok("postgres", f"PostgreSQL {traits.version} отвечает")
    if not traits.prepared:
        yield warning(
            "postgres_tables",
            "Таблиц ещё нет: выполните medai db upgrade или запустите службу",
        )
    free = traits.connections - traits.used
    if free < _PROCESS_CONNECTIONS:
        yield warning(
            "postgres_connections",
            f"Свободно соединений: {free} из {traits.connections}, процессу службы нужно до"
            f" {_PROCESS_CONNECTIONS}: поднимите max_connections",
        )
    else:
        yield ok("postgres_connections", f"Свободно соединений: {free} из {traits.connections}")


async def check_documents(documents: Documents, settings: Settings) -> list[Finding]:
    """The store answers and has the indexes of this version. Raises StoreError."""
    where = "MongoDB" if settings.mongodb_uri else "PostgreSQL"
    if missing := await documents.unprepared(COLLECTIONS):
        names = ", ".join(missing)
        return [warning("documents", f"В {where} нет таблиц или индексов: {names}; {_UPGRADE}")]
    try:
        await refuse_unfinished(documents)
    except ConflictError as error:
        return [problem("documents", error.message)]
    return [ok("documents", f"Документы доступны ({where}), индексы на месте")]


async def check_tables(pool: Pool) -> list[Finding]:
    """Tables and views for DataLens are those of this version. Raises StoreError."""
    found = await asyncio.to_thread(condition, dsn_of(pool))
    if not found.is_current:
        return [warning("postgres_tables", f"Таблицы DataLens прежней версии: {_UPGRADE}")]
    if found.differing:
        names = ", ".join(found.differing)
        return [problem("postgres_tables", f"Изменены в базе для DataLens: {names}; {_UPGRADE}")]
    return [ok("postgres_tables", "Таблицы DataLens соответствуют этой версии службы")]


async def check_files(files: Files) -> list[Finding]:
    """A file is written, read and removed. Raises StoreError."""
    name, data = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(64)
    await files.write(name, data)
    try:
        same = await files.read(name) == data
    finally:
        await files.delete(name)
    if not same:
        return [problem("files", "Файл прочитан не тем, что записан: проверьте хранилище файлов")]
    return [ok("files", "Файлы пишутся, читаются и удаляются")]


async def check_old_documents(settings: Settings) -> list[Finding]:
    """Nothing when no dump of the replaced system waits for its upgrade. Raises StoredDataError,
    which becomes a problem with its own words."""
    await refuse_old_system(settings)
    return []
