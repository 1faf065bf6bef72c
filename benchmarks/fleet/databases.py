"""Fresh databases on a PostgreSQL of the benchmark's own, with its normal durability."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from medai.infra.embedded import EmbeddedPostgres

_LOOPBACK = "127.0.0.1"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The DSN of a server that stops at the end."""
    server = EmbeddedPostgres(folder / "pg")
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def running_over_tcp(folder: Path) -> Iterator[str]:
    """The same, as databases are reached that have a machine of their own: over TCP."""
    with running(folder) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET listen_addresses = '{_LOOPBACK}'".encode())
    with running(folder) as dsn:
        yield make_conninfo(dsn, host=_LOOPBACK)


def fresh(dsn: str, number: int) -> str:
    """The DSN of an empty database of that number."""
    name = f"bench{number}"
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE medai".encode())
    return make_conninfo(dsn, dbname=name)
