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
    ["UTC", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kamchatka",
     "Africa/Casablanca", "Australia/Lord_Howe", "America/Havana"]
).map(ZoneInfo)  # fmt: skip
MOMENTS = st.integers(1_704_067_200, 1_893_456_000).map(from_unix)
"""From 2024 to 2030."""
CALLS = st.sampled_from(["a", "b", "c", "d"])
SECONDS = st.integers(1, 400)


class Quotas(RuleBasedStateMachine):
    """The limits beside the plainest bookkeeping: what each call holds and has used."""

    @initialize(month=st.integers(0, 2000), week=st.integers(0, 900), tz=ZONES, now=MOMENTS)
    def start(self, month: int, week: int, tz: ZoneInfo, now: datetime) -> None:
        self.limits = MinuteLimits(monthly_seconds=month, weekly_seconds=week)
        self.tz, self.now = tz, now
        self.held: dict[str, int] = {}
        self.settled: set[str] = set()
        self.used: list[tuple[str, str, int]] = []

    @rule(call=CALLS, seconds=SECONDS)
    def reserve(self, call: str, seconds: int) -> None:
        try:
            self.limits = quota.reserve(self.limits, call, seconds, self.now, self.tz)
        except QuotaExceededError:
            held = sum(self.held.values())
            month, week = self._used()
            assert call not in self.held
            assert (
                month + held + seconds > self.limits.monthly_seconds
                or week + held + seconds > self.limits.weekly_seconds
            )
        else:
            if call not in self.limits.reservations or not self.limits.reservations[call].settled:
                self.held.setdefault(call, seconds)

    @rule(call=CALLS, share=st.floats(0, 1))
    def settle(self, call: str, share: float) -> None:
        amount = int(self.held.get(call, 400) * share)
        self.limits = quota.settle(self.limits, call, amount, self.now, self.tz)
        if call in self.held:
            del self.held[call]
            self.settled.add(call)
            self.used.append((*self._period(), amount))

    @rule(call=CALLS)
    def release(self, call: str) -> None:
        self.limits = quota.release(self.limits, call)
        self.held.pop(call, None)
        self.settled.discard(call)

    @rule(call=CALLS)
    def give_up(self, call: str) -> None:
        self.limits = quota.give_up(self.limits, call)
        self.held.pop(call, None)

    @rule(hours=st.integers(1, 24 * 20))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

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

    def _period(self) -> tuple[str, str]:
        today = self.now.astimezone(self.tz).date()
        year, week, _ = today.isocalendar()
        return f"{today.year}-{today.month}", f"{year}-{week}"

    def _used(self) -> tuple[int, int]:
        month, week = self._period()
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
    local = reset.astimezone(tz)
    assert local.day == 1
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
    quota.reserve(spent, "a", 10, reset.astimezone(UTC), tz)
    early = reset.astimezone(UTC) - timedelta(milliseconds=1)
    with pytest.raises(QuotaExceededError):
        quota.reserve(spent, "a", 10, early, tz)
