"""How fast one caller may ask: a bucket of turns for each, filled evenly over a minute."""

from dataclasses import dataclass, field

SECONDS_PER_MINUTE = 60.0
_MOST_CALLERS = 10_000
"""Strangers can invent addresses; beyond this many, rested callers are forgotten."""


@dataclass(slots=True)
class Pace:
    """At most `per_minute` turns in a burst and in the long run; 0: no limit.

    Counted in this process alone: it protects a process from a client, not a quota from misuse.
    """

    per_minute: int
    _empty_at: dict[str, float] = field(default_factory=dict)
    """Caller -> the moment by which all turns taken so far are given back."""

    def wait(self, caller: str, now: float) -> float:
        """Take a turn; 0.0, or the seconds until the next one when there is none.

        `now` is a monotonic moment in seconds.
        """
        if not self.per_minute:
            return 0.0
        gap = SECONDS_PER_MINUTE / self.per_minute
        rested = max(self._empty_at.get(caller, now), now) + gap
        excess = rested - now - SECONDS_PER_MINUTE
        if excess > gap / 2:  # half a gap: sums of fractions never refuse a whole turn
            return excess
        if len(self._empty_at) >= _MOST_CALLERS:
            self._empty_at = {who: at for who, at in self._empty_at.items() if at > now}
        self._empty_at[caller] = rested
        return 0.0
