"""Rules of digests: who was missed, what is worth hearing, when it is time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.report_calls import NOON, full_analysis, make_analysis, make_call, many_calls

from medai.calls.models import Call, Direction, SkipReason
from medai.digests.day import analysed_on, own_calls
from medai.digests.hearing import asked_for, candidates, worth_hearing
from medai.digests.missed import missed_of
from medai.digests.models import Reason
from medai.digests.moments import (
    morning_of,
    told_day,
    told_week,
    waits_for_night,
    week_before,
)
from medai.digests.patients import GRACE, REACH, alert_of, due_at, is_due
from medai.digests.troubles import (
    SETTLED,
    Trouble,
    TroubleKind,
    compared,
    is_worse_quota,
    trouble,
)
from medai.kit.days import DayRange

DAY = date(2026, 9, 1)
MOSCOW = ZoneInfo("Europe/Moscow")
ZONES = st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin", "UTC"])
MOMENTS = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
MINUTE = timedelta(minutes=1)


def missed(number: int, phone: str = "+79000000001", after: int = 0, **changes: Any) -> Call:
    facts = {
        "phone": phone, "started_at": NOON + after * MINUTE, "duration_seconds": 0,
        "skip_reason": SkipReason.ZERO_DURATION, "analysis": None,
    }  # fmt: skip
    return make_call(number, **{**facts, **changes})


def talk(number: int, phone: str, after: int, **changes: Any) -> Call:
    return make_call(number, phone=phone, started_at=NOON + after * MINUTE, **changes)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], (0, 0, 0)),
        ([missed(1)], (1, 1, 1)),
        ([missed(1), missed(2, after=5)], (2, 1, 1)),
        ([missed(1), missed(2, "8 (900) 000-00-01", after=5)], (2, 1, 1)),
        ([missed(1), talk(2, "89000000001", 3)], (1, 1, 0)),
        ([missed(1), talk(2, "89000000001", 3, direction=Direction.OUTBOUND)], (1, 1, 0)),
        ([missed(1, after=5), talk(2, "89000000001", 3)], (1, 1, 1)),
        ([missed(1), talk(2, "89000000001", 3, duration_seconds=4)], (1, 1, 1)),
        ([missed(1), talk(2, "89000000002", 3)], (1, 1, 1)),
        ([missed(1), talk(2, "89000000001", 24 * 60, business_day=date(2026, 9, 2))], (1, 1, 0)),
        ([missed(1, business_day=date(2026, 9, 2))], (0, 0, 0)),
        ([missed(1, direction=Direction.OUTBOUND)], (0, 0, 0)),
        ([missed(1, duration_seconds=3, skip_reason=SkipReason.SHORT)], (0, 0, 0)),
        ([missed(1, uniq="a"), missed(2, uniq="a")], (1, 1, 1)),
        ([missed(1, ""), missed(2, "")], (2, 2, 2)),
    ],
)
def test_missed_calls(calls: list[Call], expected: tuple[int, int, int]) -> None:
    found = missed_of(calls, DAY)
    assert (found.calls, found.patients, len(found.waiting)) == expected
    assert missed_of(reversed(calls), DAY) == found
    assert found.returned == expected[1] - expected[2]


@given(st.integers(0, 1000), st.randoms())
def test_the_calls_worth_hearing_do_not_depend_on_their_order(seed: int, chance: Any) -> None:
    calls = many_calls(20, seed=seed)
    shuffled = list(calls)
    chance.shuffle(shuffled)
    found = candidates(calls)
    assert found == candidates(shuffled)
    proofs = {one: full_analysis(one, {"greeting": 5}) for one in asked_for(found)}
    worth = worth_hearing(found, proofs)
    assert len({one.call_id for one in worth}) == len(worth) <= 3
    assert [one.reason for one in worth] == sorted(
        (one.reason for one in worth), key=list(Reason).index
    )


def scored(number: int, overall: float, **changes: Any) -> Call:
    facts = {"call_type_id": 2, "call_type": "вторичка", **changes}
    return make_call(number, analysis=make_analysis(overall=overall, **facts), converted=True)


def test_the_lowest_call_is_one_with_a_quote() -> None:
    calls = [scored(1, 2.0), scored(2, 3.0), scored(3, 4.0)]
    found = candidates(calls)
    silent = full_analysis(calls[0].id, {"greeting": 0})
    quoted = full_analysis(calls[1].id, {"greeting": 1, "next_step": 5, "patient_booking": 10})
    (worth,) = worth_hearing(found, {calls[0].id: silent, calls[1].id: quoted})
    assert (worth.call_id, worth.quote) == (calls[1].id, "Сказано о greeting")
    (worth,) = worth_hearing(found, {calls[0].id: silent})
    assert (worth.call_id, worth.quote) == (calls[0].id, "")
    assert worth.missing == ("Приветствие",)


def test_doubtful_scores_neither_shame_nor_praise() -> None:
    calls = [scored(1, 2.0, needs_review=True), scored(2, 9.0, needs_review=True), scored(3, 0.0)]
    assert worth_hearing(candidates(calls), {}) == ()


def test_nobody_is_the_lowest_on_a_good_day_and_one_call_has_one_reason() -> None:
    lost = make_call(1, analysis=make_analysis(overall=2.0), converted=False)
    worth = worth_hearing(candidates([lost, scored(2, 7.0), scored(3, 9.5)]), {})
    assert [(one.reason, one.call_id) for one in worth] == [
        (Reason.LOST_PATIENT, lost.id),
        (Reason.BEST, scored(3, 9.5).id),
    ]


def test_unknown_administrators_are_nobody() -> None:
    calls = [make_call(1, administrator="Неизвестный администратор"), make_call(2)]
    assert own_calls(calls, "Неизвестный администратор") == []
    assert own_calls(calls, "") == []
    assert own_calls(calls, "Мария Иванова") == [calls[1]]


def test_a_call_that_is_not_analysed_to_the_end_is_in_no_figure() -> None:
    assert analysed_on([make_call(1)], DAY) == []


@given(MOMENTS, st.integers(0, 23), ZONES)
def test_a_morning_is_today_or_nothing(now: datetime, hour: int, name: str) -> None:
    tz = ZoneInfo(name)
    local = now.astimezone(tz)
    morning = morning_of(now, hour, tz)
    assert morning in (None, local.date())
    if local.hour > hour:
        assert morning is not None
    if local.hour < hour - 1:
        assert morning is None
    if waits_for_night(now, hour, tz, night_runs=True):
        assert now < datetime.combine(local.date(), datetime.min.time(), tz) + timedelta(
            hours=hour + 4
        )
    assert not waits_for_night(now, hour, tz, night_runs=False)


@pytest.mark.parametrize(
    ("now", "due"),
    [("05:59:59", False), ("06:00:00", True), ("20:59:59", True)],
)
def test_the_morning_of_moscow(now: str, due: bool) -> None:
    moment = datetime.fromisoformat(f"2026-11-20T{now}+00:00")
    assert morning_of(moment, 9, MOSCOW) == (date(2026, 11, 20) if due else None)


def test_what_a_morning_tells() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert told_day(friday) == DayRange(date(2026, 11, 19), date(2026, 11, 19))
    assert week_before(date(2026, 11, 19)) == DayRange(date(2026, 11, 12), date(2026, 11, 18))
    assert told_week(friday) is None
    assert told_week(monday) == DayRange(date(2026, 11, 16), date(2026, 11, 22))


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 600))
def test_the_grace_of_a_lost_patient(analysed: int, passed: int, seconds: int) -> None:
    at = NOON + analysed * MINUTE
    call = make_call(
        1, duration_seconds=seconds, analysis=make_analysis(analysed_at=at), first_analysed_at=at
    )
    now = NOON + passed * MINUTE
    ended = NOON + timedelta(seconds=seconds)
    expected = now >= at and now >= ended + GRACE and now - NOON < REACH
    assert is_due(call, now) == expected
    moment = due_at(call)
    assert moment is not None
    assert alert_of(call, now).id == alert_of(call, moment).id


def test_a_patient_is_the_lead_or_the_number() -> None:
    one, two = make_call(1, lead_id=5), make_call(2, lead_id=5, phone="+79000000002")
    assert alert_of(one, NOON).id == alert_of(two, NOON).id
    one, two = make_call(1, phone="+79000000002"), make_call(2, phone="8 900 000-00-02")
    assert alert_of(one, NOON).id == alert_of(two, NOON).id
    assert alert_of(make_call(1), NOON).id != alert_of(make_call(2), NOON).id
    other = replace_clinic(one, "c2")
    assert alert_of(one, NOON).id != alert_of(other, NOON).id


def replace_clinic(call: Call, client_id: str) -> Call:
    return call.model_copy(update={"client_id": client_id})


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=30))
def test_a_trouble_begins_once_and_ends_once(steps: list[tuple[int, bool]]) -> None:
    """However it comes and goes: told apart are only those that were gone for five minutes."""
    now, known, begun = NOON, list[Trouble](), 0
    gone: datetime | None = None
    for minutes, is_there in steps:
        now += minutes * MINUTE
        there = [trouble(TroubleKind.CRM, "stop:amocrm:c1", now, "c1")] if is_there else []
        changes = compared(known, there, now)
        began_expected = is_there and not known
        assert len(changes.begun) == began_expected
        begun += len(changes.begun)
        changed = {one.id: one for one in changes.changed}
        known = [changed.get(one.id, one) for one in [*known, *changes.begun]]
        gone = None if is_there else gone or now
        over = gone is not None and now - gone >= SETTLED
        assert all((one.over_at is not None) == over for one in known)
        known = [one for one in known if one.over_at is None]
    assert begun <= len(steps)


def test_more_of_a_quota_is_no_end_of_less() -> None:
    less = trouble(TroubleKind.QUOTA, "quota:c1:month:2026-11:80", NOON, "c1", percent=80)
    more = trouble(TroubleKind.QUOTA, "quota:c1:month:2026-11:100", NOON, "c1", percent=100)
    week = trouble(TroubleKind.QUOTA, "quota:c1:week:2026-W47:100", NOON, "c1", percent=100)
    assert is_worse_quota(less, [more])
    assert not is_worse_quota(more, [less])
    assert not is_worse_quota(less, [week])
