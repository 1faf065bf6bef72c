"""The platform's request limits: sliding second, then a ban (amocrm.md 2.1, 2.2)."""

import time
from collections import deque
from collections.abc import Callable
from enum import Enum

from medai.sandbox.amocrm.options import Options

_SECOND = 1.0


class Verdict(Enum):
    """What the gateway does with a request."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    BANNED = "banned"


class Limiter:
    """Counts admitted requests of one account: refused ones do not use up the window."""

    def __init__(self, options: Options, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._monotonic = monotonic
        self._all: deque[float] = deque()
        self._by_integration: dict[str, deque[float]] = {}
        self._refusals: deque[float] = deque()
        self.banned = False

    def judge(self, integration: str) -> Verdict:
        """Count a request of the integration and say what becomes of it."""
        if self.banned:
            return Verdict.BANNED
        now = self._monotonic()
        own = self._by_integration.setdefault(integration, deque())
        if self._has_room(own, now):
            own.append(now)
            self._all.append(now)
            return Verdict.ADMITTED
        self._refuse(now)
        return Verdict.REFUSED

    def reset(self) -> None:
        """Lift the ban and forget what was counted, as the platform's support does."""
        self.banned = False
        self._refusals.clear()
        self._all.clear()
        self._by_integration.clear()

    def _has_room(self, own: deque[float], now: float) -> bool:
        _forget(own, now - _SECOND)
        _forget(self._all, now - _SECOND)
        options = self._options
        return _below(own, options.requests_per_second) and _below(
            self._all, options.account_requests_per_second
        )

    def _refuse(self, now: float) -> None:
        self._refusals.append(now)
        _forget(self._refusals, now - self._options.ban_window)
        self.banned = not _below(self._refusals, self._options.ban_after)


def _below(window: deque[float], limit: int | None) -> bool:
    return limit is None or len(window) < limit


def _forget(window: deque[float], until: float) -> None:
    while window and window[0] <= until:
        window.popleft()
