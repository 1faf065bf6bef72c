"""Worker processes as a person runs them, watched by somebody who starts a dead one again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.journal import own_addresses
from tests.fixtures.command_line import SOURCES, command_line, foreign_settings

_STOP_SECONDS = 45.0
_POLL_SECONDS = 0.02


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for the condition. Raises TimeoutError that says what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(_POLL_SECONDS)


@dataclass(slots=True)
class Member:
    """One process of the fleet. `number` is never used again; moments are monotonic seconds."""

    number: int
    words: tuple[str, ...]
    process: "subprocess.Popen[bytes]"
    log: Path


@dataclass(slots=True)
class Fleet:
    """Processes of one installation: `folder` holds its data and their logs."""

    url: str
    dsn: str
    folder: Path
    changes: dict[str, str]
    members: list[Member] = field(default_factory=list)
    killed: dict[int, float] = field(default_factory=dict)
    """Process -> moment."""
    ended: dict[int, int] = field(default_factory=dict)
    """Processes that ended although nobody had asked -> exit code."""
    _started: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for member in self.members:
            member.process.kill()
            member.process.wait()

    def start(self, *words: str) -> Member:
        """Run one more `medai <words>`."""
        self._started += 1
        number, log = self._started, self.folder / f"{words[0]}-{self._started}.log"
        settings = {
            **command_line(self.url, self.dsn, self.folder).settings,
            **own_addresses(self.url, number),
            **self.changes,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "medai", *words],
                cwd=self.folder,
                env={**_surroundings(), **settings},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        member = Member(number, words, process, log)
        self.members.append(member)
        return member

    def kill(self, member: Member) -> Member:
        """SIGKILL, and the same command again at once; returns the new process."""
        os.kill(member.process.pid, signal.SIGKILL)
        self.killed[member.number] = time.monotonic()
        return self._replaced(member)

    def look_after(self) -> None:
        """Start again what has ended by itself, as a supervisor does."""
        for member in list(self.members):
            if (code := member.process.poll()) is not None:
                self.ended[member.number] = code
                self._replaced(member)

    def stop(self) -> list[int]:
        """Ask all to end in order; returns their exit codes. Raises TimeoutError."""
        for member in self.members:
            member.process.terminate()
        until(
            lambda: all(member.process.poll() is not None for member in self.members),
            _STOP_SECONDS,
            "processes that were asked to stop still run",
        )
        codes = [member.process.returncode for member in self.members]
        self.members.clear()
        return codes

    def _replaced(self, member: Member) -> Member:
        member.process.wait()
        self.members.remove(member)
        return self.start(*member.words)


def _surroundings() -> dict[str, str]:
    """Compiled modules are kept: otherwise every start of a worker costs a second more."""
    surroundings = {**foreign_settings(), "PYTHONPATH": str(SOURCES)}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
    return surroundings
