"""Bringing a database to the tables of `tables.py`, from code: users need no alembic.ini."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from medai.datalens.refusals import refusal, unreachable
from medai.datalens.restoration import differences, restore

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('medai.datalens.schema', 0))")
_VERSION = text("SELECT version_num FROM infra.datalens_version")
_HAS_VERSION = text("SELECT to_regclass('infra.datalens_version')")
_SESSION = "-c timezone=UTC -c search_path=public -c lock_timeout=300s"
"""A start that waits for somebody's forgotten transaction says so after five minutes."""
_alembic = threading.Lock()
"""Alembic keeps the migration under way in globals of its module: one at a time in a process."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`is_current`: every migration ran. `differing`: tables and views that were changed since."""

    is_current: bool
    differing: list[str]


def upgrade(dsn: str, revision: str = "head") -> list[str]:
    """Create what is missing and adopt what an old installation left; keeps all its rows.

    At the head, tables and views that somebody changed are brought back; returns the names of such
    tables, whose rows may have lost values. Safe to repeat and to run from several processes.
    `dsn` is any libpq form. Blocks. Raises StoreError when the database cannot be reached, refuses,
    or holds something of others that would be lost.
    """
    with _connected(dsn) as (connection, config):
        known = _is_current(connection, config)
        command.upgrade(config, revision)
        restored = restore(connection) if revision == "head" else []
    return restored if known else []


def downgrade(dsn: str, revision: str = "base") -> None:
    """Go back to `revision`. Tables with rows stay: a downgrade deletes no metrics.

    Raises StoreError like `upgrade`.
    """
    with _connected(dsn) as (_, config):
        command.downgrade(config, revision)


def condition(dsn: str) -> Condition:
    """What the tables are, compared with this version. Changes nothing. Blocks. Raises StoreError.

    Only tables that are current are compared.
    """
    with _errors(), _engine(dsn).connect() as connection:
        current = _is_current(connection, _config())
        return Condition(current, differences(connection) if current else [])


def _is_current(connection: Connection, config: Config) -> bool:
    if connection.execute(_HAS_VERSION).scalar() is None:
        return False
    newest = ScriptDirectory.from_config(config).get_current_head()
    return connection.execute(_VERSION).scalars().all() == [newest]


@contextmanager
def _connected(dsn: str) -> Iterator[tuple[Connection, Config]]:
    """One transaction, and nobody else's migration beside it."""
    config = _config()
    with _alembic, _errors(), _engine(dsn).begin() as connection:
        connection.execute(_LOCK)
        config.attributes["connection"] = connection
        yield connection, config


def _engine(dsn: str) -> Engine:
    def connect() -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(dsn, options=_SESSION)

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, psycopg.OperationalError) as error:
        raise unreachable(error) from error
    except DBAPIError as error:
        raise refusal(error) from error
