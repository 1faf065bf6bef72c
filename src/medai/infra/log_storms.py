"""One warning where a library would repeat it for each of its attempts."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

QUIET_SECONDS = 10.0


class OnePerWhile(logging.Filter):
    """Lets one record of a level through in `seconds`; tells how many were left out since.

    Records whose text does not begin with `beginning` always pass.
    """

    def __init__(
        self,
        beginning: str = "",
        *,
        seconds: float = QUIET_SECONDS,
        time: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self._beginning = beginning
        self._seconds = seconds
        self._time = time
        self._passed: dict[int, float] = {}
        self._left_out: dict[int, int] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        if not record.getMessage().startswith(self._beginning):
            return True
        with self._lock:
            now, level = self._time(), record.levelno
            if now - self._passed.get(level, -self._seconds) < self._seconds:
                self._left_out[level] = self._left_out.get(level, 0) + 1
                return False
            self._passed[level] = now
            count = self._left_out.pop(level, 0)
        if count:
            record.msg = f"{record.getMessage()} ({count} more left out)"
            record.args = ()
        return True
