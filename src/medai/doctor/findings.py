"""What an examination finds: one line for people, in Russian, with what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`ok`: as it should be. `warning`: works, but somebody should look. `problem`: does not."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a stable name for programs; `message` never holds a secret or personal data."""

    check: str
    level: Level
    message: str


def ok(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, message)


def warning(check: str, message: str) -> Finding:
    """Somebody should look."""
    return Finding(check, Level.WARNING, message)


def problem(check: str, message: str) -> Finding:
    """It does not work like this."""
    return Finding(check, Level.PROBLEM, message)
