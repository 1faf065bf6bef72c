"""What all simulators of one running sandbox share."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from medai.kit.clock import Clock, utc_now
from medai.sandbox.faults import Faults
from medai.sandbox.ledger import Ledger
from medai.sandbox.world.models import Dialogue, World


class Audio(Protocol):
    """The recordings of the world, as the simulators need them."""

    def dialogue_of(self, sha256: str) -> Dialogue | None:
        """The dialogue whose recording has these bytes (lower-case hexadecimal SHA-256)."""

    async def content(self, name: str) -> bytes | None:
        """The recording as the PBX keeps it (MP3 or WAV), None when there is none."""


class SandboxClock:
    """A clock that tests can move forward. Aware UTC."""

    def __init__(self, base: Clock = utc_now) -> None:
        self._base = base
        self._shift = timedelta()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The present moment of the sandbox."""
        return self._base() + self._shift

    def advance(self, seconds: float) -> None:
        """Move forward; negative numbers move back."""
        with self._lock:
            self._shift += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Return to the base clock."""
        with self._lock:
            self._shift = timedelta()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The world, its recordings, and what was scripted and done in it."""

    world: World
    audio: Audio
    clock: SandboxClock
    faults: Faults = field(default_factory=Faults)
    ledger: Ledger = field(default_factory=Ledger)
