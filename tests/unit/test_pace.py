"""A caller's turns: a burst of a minute's worth, then an even flow, whatever the times."""

from hypothesis import given
from hypothesis import strategies as st

from medai.kit.pace import SECONDS_PER_MINUTE, Pace

PAUSES = st.lists(st.floats(0.0, 30.0), min_size=1, max_size=200)


@given(per_minute=st.integers(1, 50), pauses=PAUSES)
def test_no_minute_holds_more_than_two_minutes_worth(per_minute: int, pauses: list[float]) -> None:
    pace, now, taken = Pace(per_minute), 1000.0, list[float]()
    for pause in pauses:
        now += pause
        if not pace.wait("key", now):
            taken.append(now)
    for start in taken:
        inside = [moment for moment in taken if start <= moment < start + SECONDS_PER_MINUTE]
        assert len(inside) <= 2 * per_minute


@given(per_minute=st.integers(1, 50), pauses=PAUSES)
def test_whoever_waits_as_told_gets_a_turn(per_minute: int, pauses: list[float]) -> None:
    pace, now = Pace(per_minute), 1000.0
    for pause in pauses:
        now += pause
        if wait := pace.wait("key", now):
            now += wait
            assert not pace.wait("key", now)


def test_a_burst_of_a_minute_passes_and_others_are_not_held_up() -> None:
    pace = Pace(3)
    assert [pace.wait("key", 5.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.wait("key", 5.0) > 0.0
    assert pace.wait("other", 5.0) == 0.0


def test_zero_is_no_limit() -> None:
    pace = Pace(0)
    assert not any(pace.wait("key", 5.0) for _ in range(10_000))


def test_callers_who_rest_are_forgotten() -> None:
    pace = Pace(60)
    for number in range(30_000):
        pace.wait(f"from {number}", float(number))
    assert len(pace._empty_at) <= 10_001
