"""The stores: PostgreSQL with what the service asks of it, documents, files."""

import secrets
from collections.abc import Iterator

from medai.clinics.repository import CLINICS
from medai.doctor.clocks import compared
from medai.doctor.findings import Finding, ok, problem, warning
from medai.infra.documents import Documents
from medai.infra.files import Files
from medai.infra.postgres import Pool
from medai.infra.postgres_traits import PostgresTraits, keeps_sessions, read_traits
from medai.kit.clock import Clock
from medai.settings import Settings

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
    """The store answers a query. Raises StoreError."""
    await documents.get(CLINICS, "doctor")
    where = "MongoDB" if settings.mongodb_uri else "PostgreSQL"
    return [ok("documents", f"Документы доступны ({where})")]


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
