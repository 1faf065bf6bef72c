"""Bringing a database to the tables of `tables.py`, from code: users need no alembic.ini."""

import threading
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import Connection
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, NotSupportedError, OperationalError
from sqlalchemy.pool import NullPool

from medai.errors import StoreError

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('medai.datalens.schema', 0))")
_alembic = threading.Lock()
"""Alembic keeps the migration under way in globals of its module: one at a time in a process."""


def upgrade(dsn: str, revision: str = "head") -> None:
    """Create what is missing and adopt what an old installation left; keeps all its rows.

    Safe to repeat and to run from several processes. `dsn` is any libpq form. Blocks. Raises
    StoreError when the database cannot be reached or refuses.
    """
    _run(dsn, revision, up=True)


def downgrade(dsn: str, revision: str = "base") -> None:
    """Go back to `revision`. Tables with rows stay: a downgrade deletes no metrics.

    Raises StoreError like `upgrade`.
    """
    _run(dsn, revision, up=False)


def is_current(dsn: str) -> bool:
    """Whether the tables are those of this version. Blocks. Raises StoreError."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            known = connection.execute("SELECT to_regclass('infra.datalens_version')").fetchone()
            if known is None or known[0] is None:
                return False
            rows = connection.execute("SELECT version_num FROM infra.datalens_version").fetchall()
    except psycopg.OperationalError as error:
        raise StoreError("PostgreSQL недоступен: проверьте сервер и POSTGRES_*") from error
    return [row[0] for row in rows] == [newest]


def _run(dsn: str, revision: str, *, up: bool) -> None:
    def connect() -> "Connection[tuple[object, ...]]":
        return psycopg.connect(dsn, options="-c timezone=UTC -c search_path=public")

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with _alembic, engine.begin() as connection:
            connection.execute(_LOCK)
            config.attributes["connection"] = connection
            (command.upgrade if up else command.downgrade)(config, revision)
    except (OperationalError, psycopg.OperationalError) as error:
        raise StoreError(
            "PostgreSQL недоступен: таблицы DataLens не созданы, проверьте POSTGRES_*"
        ) from error
    except NotSupportedError as error:
        # Its detail names the view: 'rule _RETURN on view own depends on column "source"'.
        diagnosis = getattr(error.orig, "diag", None)
        detail = (diagnosis and diagnosis.message_detail) or ""
        raise StoreError(
            "Столбцу таблиц DataLens нужен другой тип, но его читает представление: удалите его,"
            f" выполните medai db upgrade и создайте его снова ({detail})"
        ) from error
    except DBAPIError as error:
        raise StoreError(
            "Таблицы DataLens не приведены к новому виду: дайте пользователю базы права владельца"
            " таблиц и повторите medai db upgrade"
        ) from error
