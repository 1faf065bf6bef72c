"""A PostgreSQL of our own for installations that have none: nothing to install or configure."""

import atexit
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.errors import DuplicateDatabase, UniqueViolation

from medai.errors import SettingsError, StoreError
from medai.infra.embedded_server import (
    PORT,
    SUPERUSER,
    ServerCommands,
    open_way,
    open_way_to_binaries,
    server_user,
)

DATABASE = "medai"
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_SOCKET_PATH_LIMIT = 100
"""Unix sockets take about 107 bytes of path; some systems a little less."""
_START_DEADLINE_SECONDS = 60.0
_RETRY_SECONDS = 0.3
# The builtin C.UTF-8 compares by code point, like MongoDB, and still knows Russian letters, which
# a plain "C" database does not: its full text search would find neither "Привет" nor "привет".
_CREATE_DATABASE = (
    f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
)


class EmbeddedPostgres:
    """One PostgreSQL server per folder, shared by all processes that name the same folder.

    The first `start` creates and starts it, the last `stop` stops it. A process that was killed
    does not count: its file lock ends with it. The server survives a kill and is used again.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir.expanduser().resolve()
        self._user_lock: int | None = None

    def start(self) -> str:
        """Have the server running; returns a libpq DSN of the database `medai`.

        Blocks for 1-2 s the first time and up to a minute after a crash. Raises SettingsError
        when the folder cannot be used, StoreError when the server does not come up.
        """
        self._prepare_folder()
        with self._exclusive():
            commands = self._commands()
            commands.create_cluster()
            if self._user_lock is None:
                self._user_lock = _lock(self._folder / "users.lock", fcntl.LOCK_SH)
                atexit.register(self.stop)
            self._bring_up(commands)
        return self._dsn(DATABASE)

    def revive(self) -> bool:
        """Start the server again if it has died; tells whether it had. Raises as `start`."""
        if self._user_lock is None or self._answers():
            return False
        self.start()
        return True

    def stop(self) -> None:
        """Leave the server; it stops when nobody else uses it. Raises StoreError."""
        if self._user_lock is None:
            return
        atexit.unregister(self.stop)
        with self._exclusive():
            os.close(self._user_lock)
            self._user_lock = None
            if self._is_last() and self._answers():
                self._commands().stop()
                if self._sockets() != self._folder:
                    with suppress(OSError):  # what is left there is small and harmless
                        self._sockets().rmdir()

    def _bring_up(self, commands: ServerCommands) -> None:
        # After a kill the old server's children keep its memory for a moment, and a server that
        # recovers refuses connections: both pass, so starting is repeated (stores-and-jobs.md 2).
        deadline = time.monotonic() + _START_DEADLINE_SECONDS
        while not self._answers():
            try:
                commands.start()
            except StoreError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
        self._create_database()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._dsn("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            if connection.execute(known, [DATABASE]).fetchone() is None:
                try:
                    connection.execute(_CREATE_DATABASE)
                except (DuplicateDatabase, UniqueViolation):
                    return  # another process was quicker

    def _commands(self) -> ServerCommands:
        return ServerCommands(self._folder / "pg18", self._folder / "server.log", self._sockets())

    def _dsn(self, database: str) -> str:
        return make_conninfo(host=str(self._sockets()), port=PORT, user=SUPERUSER, dbname=database)

    def _sockets(self) -> Path:
        if len(os.fsencode(self._folder / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            return self._folder
        short = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"medai-pg-{os.geteuid()}-{short}"

    def _prepare_folder(self) -> None:
        try:
            for folder in {self._folder, self._sockets()}:
                folder.mkdir(parents=True, exist_ok=True)
                _own(folder)
            open_way_to_binaries()
        except OSError as error:
            raise SettingsError(
                f"Папка базы данных {self._folder} недоступна: дайте на неё права пользователю"
                " службы или укажите другую в MEDAI_DATA_DIR"
            ) from error

    def _is_last(self) -> bool:
        try:
            os.close(_lock(self._folder / "users.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        descriptor = _lock(self._folder / "start.lock", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)


def _own(folder: Path) -> None:
    """Close the folder to others. Trust authentication relies on nobody else reaching the socket.

    Raises PermissionError when the folder belongs to somebody else or is a link that somebody
    may have laid in the temporary folder.
    """
    if folder.is_symlink():
        raise PermissionError(f"{folder} is a link")
    if user := server_user():
        shutil.chown(folder, user)
        open_way(folder)
    folder.chmod(0o700)


def _lock(path: Path, kind: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
