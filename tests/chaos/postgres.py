"""A PostgreSQL of the test's own, durable as in production, that can be crashed."""

import os
import shutil
import signal
from pathlib import Path

from tests.chaos.fleet import until

from medai.infra.embedded import EmbeddedPostgres

_CRASH_SECONDS = 20.0


class CrashingPostgres:
    """`dsn` stays the same over crashes; `folder` should have a short path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder)
        self.dsn = self._server.start()
        self.crashes = 0

    def crash(self, kind: signal.Signals = signal.SIGQUIT) -> None:
        """Immediate stop (SIGQUIT) or death (SIGKILL) without a checkpoint, then a start."""
        process = self.postmaster()
        os.kill(process, kind)
        until(lambda: not _alive(process), _CRASH_SECONDS, "PostgreSQL did not crash")
        self.crashes += 1
        self._server.start()

    def postmaster(self) -> int:
        """The id of the server's first process."""
        return int((self._folder / "pg18" / "postmaster.pid").read_text().split()[0])

    def close(self) -> None:
        """Stop and remove everything."""
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A zombie counts as dead: in containers nobody may reap it.
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
