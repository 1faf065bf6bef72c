"""When an account must not be asked: a pause after 429, silence after a ban (amocrm.md 2.2)."""

from datetime import datetime, timedelta

from medai.errors import ProviderRateLimitedError, ProviderStoppedError
from medai.kit.clock import Clock

from .failures import PROVIDER

MAX_OWN_WAIT = 60.0
"""Seconds. Kommo may ask for 300: such a wait belongs to the job engine, not to a held worker."""

OWN_WAITS = (5.0, 10.0)
"""Seconds after the first and second 429 without a named wait. The limit counts requests of one
second, so 5 s is ample for a burst; a second refusal means that others share the limit."""

STRIKES = 3
"""429s in a row that open the breaker: repeated ones end in a ban that only support lifts."""

LIMITED_COOL_DOWN = timedelta(minutes=5)
"""What others wait after repeated 429s without trouble (amocrm.md 2.2)."""

STOPPED_COOL_DOWN = timedelta(minutes=15)
"""After a ban, an unpaid subscription or an IP list: four questions an hour are no hammering."""


class Breaker:
    """The state of one account as its answers show it. Not shared between processes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._quiet_until: datetime | None = None
        self._open_until: datetime | None = None
        self._stopped: ProviderStoppedError | None = None
        self.strikes = 0

    @property
    def is_open(self) -> bool:
        """Whether the account is closed now."""
        return self._left(self._open_until) > 0

    def check(self) -> None:
        """Raise ProviderStoppedError or ProviderRateLimitedError while the account is closed."""
        left = self._left(self._open_until)
        if not left:
            return
        if self._stopped is not None:
            raise ProviderStoppedError(PROVIDER, self._stopped.message, status=self._stopped.status)
        message = "amoCRM просит подождать: слишком много запросов, повтор произойдёт сам"
        raise ProviderRateLimitedError(PROVIDER, message, retry_after=left)

    def pause(self) -> float:
        """Seconds to stay quiet before the next request."""
        return self._left(self._quiet_until)

    def limited(self, seen: int, retry_after: float | None) -> None:
        """Note a 429: stay quiet for a while, or close the account when it was one too many.

        `seen` is `strikes` when the request was sent: a burst of requests that were under way
        together counts as one strike.
        """
        if seen == self.strikes:
            self.strikes += 1
        wait = retry_after
        if wait is None:
            wait = OWN_WAITS[min(max(self.strikes, 1), len(OWN_WAITS)) - 1]
        now = self._clock()
        if self.strikes >= STRIKES:
            self._close(now + max(timedelta(seconds=wait), LIMITED_COOL_DOWN))
        elif wait > MAX_OWN_WAIT:
            self._close(now + timedelta(seconds=wait))
        else:
            self._quiet_until = now + timedelta(seconds=wait)

    def stopped(self, error: ProviderStoppedError) -> None:
        """Note an answer that closes the whole account."""
        self._stopped = error
        self._open_until = self._clock() + STOPPED_COOL_DOWN

    def passed(self, seen: int) -> None:
        """Note an answer that was no refusal, to a request sent when `strikes` was `seen`."""
        if seen == self.strikes:
            self.strikes = 0

    def _close(self, until: datetime) -> None:
        self._stopped, self._open_until, self.strikes = None, until, 0

    def _left(self, until: datetime | None) -> float:
        return max((until - self._clock()).total_seconds(), 0.0) if until is not None else 0.0
