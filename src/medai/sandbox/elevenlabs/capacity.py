"""How many requests the account may have under way, counted in slots (elevenlabs.md 7)."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from medai.sandbox.elevenlabs.errors import RefusedError

DEFAULT_SLOTS = 12
"""The plan "Starter"."""
_SLOT_SECONDS = 8 * 60
_MOST_SLOTS_EACH = 4


class Capacity:
    """Slots in use, their ceiling, the highest use so far, and how long one piece of work takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """The default plan, no artificial work time, no history."""
        self.limit = DEFAULT_SLOTS
        self.work_seconds = 0.0
        self.used = 0
        self.peak = 0

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """Hold the slots that audio of this length needs. Raises RefusedError (429)."""
        slots = min(_MOST_SLOTS_EACH, max(1, math.ceil(seconds / _SLOT_SECONDS)))
        self._take(slots)
        try:
            yield
        finally:
            with self._lock:
                self.used = max(0, self.used - slots)

    def headers(self) -> dict[str, str]:
        """The counters as the service tells them with every answer."""
        return {
            "current-concurrent-requests": str(self.used),
            "maximum-concurrent-requests": str(self.limit),
        }

    def _take(self, slots: int) -> None:
        with self._lock:
            if self.used and self.used + slots > self.limit:
                raise RefusedError(429, "concurrent_limit_exceeded", "Too many concurrent requests")
            self.used += slots
            self.peak = max(self.peak, self.used)
