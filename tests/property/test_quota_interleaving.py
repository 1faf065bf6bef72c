"""Quotas under any interleaving of any number of calls."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from medai.clinics.models import MinuteLimits
from medai.errors import QuotaExceededError
from medai.kit.clock import from_unix
from medai.limits import quota

ZONES = st.sampled_from(
    ["UTC", "Europe/Kaliningrad", "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Kamchatka",
     "Europe/Berlin", "Asia/Tehran", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca",
     "America/New_York", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"]
).map(ZoneInfo)  # fmt: skip
"""Russia's edges; clocks that change at midnight (Tehran until 2022, Beirut, Cairo, Havana) or by
half an hour (Lord Howe); a calendar day that never was (Apia, 30 December 2011)."""
EDGES = st.sampled_from(
    [datetime(2011, 12, 29, tzinfo=UTC), datetime(2021, 3, 21, tzinfo=UTC),
     datetime(2021, 9, 21, tzinfo=UTC), datetime(2024, 2, 28, tzinfo=UTC),
     datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC),
     datetime(2026, 11, 29, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC),
     datetime(2027, 1, 3, tzinfo=UTC), datetime(2029, 12, 31, tzinfo=UTC)]
)  # fmt: skip
"""Near changes of clocks, months, years and ISO years; 29 February."""
MOMENTS = st.integers(1_262_304_000, 1_893_456_000).map(from_unix) | st.builds(
    lambda edge, minutes: edge + timedelta(minutes=minutes), EDGES, st.integers(0, 3 * 24 * 60)
)
"""From 2010 to 2030."""
CALLS = st.sampled_from(["a", "b", "c", "d"])
SECONDS = st.integers(1, 400)
LAGS = st.just(timedelta(0)) | st.integers(0, 23 * 60).map(lambda n: timedelta(minutes=n))
"""How far one worker's clock is behind."""


class Quotas(RuleBasedStateMachine):
    """The limits beside the plainest bookkeeping: what each call holds and has used."""

    @initialize(month=st.integers(0, 2000), week=st.integers(0, 900), tz=ZONES, now=MOMENTS)
    def start(self, month: int, week: int, tz: ZoneInfo, now: datetime) -> None:
        self.limits = MinuteLimits(monthly_seconds=month, weekly_seconds=week)
        self.tz, self.now = tz, now
        self.held: dict[str, int] = {}
        self.settled: dict[str, datetime] = {}
        self.used: list[tuple[str, str, int]] = []
        self.seen = ("", "")

    @rule(call=CALLS, seconds=SECONDS, lag=LAGS)
    def reserve(self, call: str, seconds: int, lag: timedelta) -> None:
        clock = self.now - lag
        known = self._remembered(clock)
        try:
            self.limits = quota.reserve(self.limits, call, seconds, clock, self.tz)
        except QuotaExceededError:
            held = sum(self.held.values())
            month, week = self._used(self._period(clock))
            assert call not in self.held
            assert call not in known
            assert (
                month + held + seconds > self.limits.monthly_seconds
                or week + held + seconds > self.limits.weekly_seconds
            )
        else:
            self.seen, self.settled = self._period(clock), known
            if call not in known:
                self.held.setdefault(call, seconds)

    @rule(call=CALLS, share=st.floats(0, 1), lag=LAGS)
    def settle(self, call: str, share: float, lag: timedelta) -> None:
        clock = self.now - lag
        self.settled = self._remembered(clock)
        amount = int(self.held.get(call, 400) * share)
        self.limits = quota.settle(self.limits, call, amount, clock, self.tz)
        self.seen = self._period(clock)
        if call in self.held:
            del self.held[call]
            self.settled[call] = clock
            self.used.append((*self.seen, amount))

    @rule(call=CALLS)
    def release(self, call: str) -> None:
        self.limits = quota.release(self.limits, call)
        self.held.pop(call, None)
        self.settled.pop(call, None)

    @rule(call=CALLS)
    def give_up(self, call: str) -> None:
        self.limits = quota.give_up(self.limits, call)
        self.held.pop(call, None)

    @rule(hours=st.integers(1, 24 * 20))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(before=st.integers(0, 90))
    def reach_the_end_of_the_week(self, before: int) -> None:
        end = quota.next_reset(
            MinuteLimits(monthly_seconds=10**9, weekly_seconds=0), self.now, self.tz, seconds=1
        )
        self.now = max(self.now, end - timedelta(minutes=before))

    @invariant()
    def books_agree(self) -> None:
        current = quota.at(self.limits, self.now, self.tz)
        assert quota.held_seconds(current) == sum(self.held.values())
        assert (current.month_used_seconds, current.week_used_seconds) == self._used()

    @invariant()
    def a_held_second_is_never_promised_twice(self) -> None:
        current = quota.at(self.limits, self.now, self.tz)
        free = (
            current.monthly_seconds - current.month_used_seconds - quota.held_seconds(current),
            current.weekly_seconds - current.week_used_seconds - quota.held_seconds(current),
        )
        assert min(free) >= 0

    @invariant()
    def nothing_is_negative_and_days_add_up(self) -> None:
        current = quota.at(self.limits, self.now, self.tz)
        amounts = [item.seconds for item in current.reservations.values()]
        amounts += [current.month_used_seconds, current.week_used_seconds, *current.days.values()]
        assert min(amounts) >= 0
        assert len(current.days) <= quota.DAYS_KEPT
        assert sum(current.days.values()) <= sum(amount for *_, amount in self.used)

    def teardown(self) -> None:
        """Whatever happened: finished calls hold nothing."""
        for call in ("a", "b", "c", "d"):
            self.limits = quota.release(quota.give_up(self.limits, call), call)
        assert quota.held_seconds(self.limits) == 0
        assert self.limits.reservations == {}

    def _remembered(self, clock: datetime) -> dict[str, datetime]:
        """Settled calls are known for two months."""
        return {c: at for c, at in self.settled.items() if clock - at < quota.SETTLED_KEPT}

    def _period(self, clock: datetime) -> tuple[str, str]:
        """The periods of a moment; one that has begun stays, whoever lags behind."""
        today = clock.astimezone(self.tz).date()
        year, week, _ = today.isocalendar()
        own = (f"{today.year}-{today.month:02d}", f"{year}-{week:02d}")
        return max(own[0], self.seen[0]), max(own[1], self.seen[1])

    def _used(self, period: tuple[str, str] | None = None) -> tuple[int, int]:
        month, week = period or self._period(self.now)
        return (
            sum(amount for m, _, amount in self.used if m == month),
            sum(amount for _, w, amount in self.used if w == week),
        )


TestQuotas = Quotas.TestCase


@given(now=MOMENTS, tz=ZONES, month=st.integers(0, 100), week=st.integers(0, 100))
def test_minutes_come_back_exactly_at_the_reset(
    now: datetime, tz: ZoneInfo, month: int, week: int
) -> None:
    seconds = 50
    spent = quota.at(MinuteLimits(), now, tz).model_copy(
        update={
            "monthly_seconds": max(month, seconds), "weekly_seconds": max(week, seconds),
            "month_used_seconds": max(month, seconds), "week_used_seconds": max(week, seconds),
        }
    )  # fmt: skip
    with pytest.raises(QuotaExceededError):
        quota.reserve(spent, "a", seconds, now, tz)
    reset = quota.next_reset(spent, now, tz, seconds=seconds)
    assert now < reset
    assert reset.astimezone(tz).day == 1
    after = quota.at(spent, reset.astimezone(UTC), tz)
    before = quota.at(spent, reset.astimezone(UTC) - timedelta(milliseconds=1), tz)
    assert (after.month_used_seconds, before.month_used_seconds) == (0, max(month, seconds))


@given(now=MOMENTS, tz=ZONES)
def test_a_spent_week_ends_on_monday_of_the_clinic(now: datetime, tz: ZoneInfo) -> None:
    spent = quota.at(MinuteLimits(weekly_seconds=10), now, tz).model_copy(
        update={"week_used_seconds": 10}
    )
    reset = quota.next_reset(spent, now, tz, seconds=10)
    assert now < reset <= now + timedelta(days=7, hours=1)
    assert reset.astimezone(tz).weekday() == 0
    quota.reserve(spent, "a", 10, reset.astimezone(UTC), tz)
    early = reset.astimezone(UTC) - timedelta(milliseconds=1)
    with pytest.raises(QuotaExceededError):
        quota.reserve(spent, "a", 10, early, tz)
