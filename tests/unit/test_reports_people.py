"""The report of administrators: who is judged, by what, and with whose words (contract 8.3)."""

from datetime import date
from statistics import fmean

from tests.fixtures.report_calls import (
    AUGUST,
    make_analysis,
    make_call,
    many_calls,
    people_of_calls,
)

from medai.calls.models import Call
from medai.reports.people.models import ENOUGH_CALLS, Profile


def _call(number: int, scores: dict[str, int | None], **changes: object) -> Call:
    return make_call(number, analysis=make_analysis(scores=scores), **changes)


def _only(calls: list[Call]) -> Profile:
    (profile,) = people_of_calls(calls).profiles
    return profile


def test_strongest_and_weakest_are_the_means_of_what_applied() -> None:
    calls = many_calls(300)
    for profile in people_of_calls(calls).profiles:
        own = [c.analysis for c in calls if c.analysis and c.administrator == profile.group.name]
        means = {}
        for key in {key for one in own for key in one.scores} - {"patient_booking"}:
            known = [score for one in own if (score := one.scores.get(key)) is not None]
            if len(known) >= ENOUGH_CALLS:
                means[key] = round(fmean(known), 9)
        ordered = sorted(means.values())
        assert [round(one.mean, 9) for one in profile.strongest] == ordered[:-3:-1]
        assert [round(one.mean, 9) for one in profile.weakest] == ordered[:2]


def test_quotes_come_from_the_best_and_the_worst_call() -> None:
    calls = [
        _call(n, {"greeting": 5 + n, "speech": n, "price": 4, "passport": 4}) for n in range(5)
    ]
    profile = _only(calls)
    best, worst = profile.strongest[0], profile.weakest[0]
    assert (best.criterion, best.mean, best.calls) == ("Приветствие", 7.0, 5)
    assert best.quote is not None
    assert (best.quote.text, best.quote.score) == ("Сказано о greeting", 9)
    assert best.quote.start_ms == 65_000
    assert best.quote.at.isoformat() == "2026-09-01T12:00:00+03:00"
    assert best.quote.url is not None
    assert best.quote.url.endswith("79000000001_4.txt/download")
    # The worst call scored 0 and has no words; the next one has.
    assert (worst.criterion, worst.quote and worst.quote.score) == ("Речь", 1)


def test_what_was_never_said_is_told_by_the_comment() -> None:
    profile = _only([_call(n, {"greeting": 8, "passport": 0}) for n in range(5)])
    (worst,) = profile.weakest
    assert worst.quote is not None
    assert (worst.quote.text, worst.quote.comment) == ("", "Замечание о passport")
    assert worst.quote.start_ms is None


def test_no_criterion_is_both_strong_and_weak_and_the_crm_praises_nobody() -> None:
    profile = _only([_call(n, {"greeting": 8, "patient_booking": 10}) for n in range(5)])
    assert [one.criterion for one in profile.strongest] == ["Приветствие"]
    assert profile.weakest == ()


def test_below_five_scored_calls_nobody_is_judged() -> None:
    four = [_call(n, {"greeting": 8, "speech": 2}) for n in range(4)]
    profile = _only(four)
    assert (profile.strongest, profile.weakest) == ((), ())
    assert [(week.calls, week.overall) for week in profile.weeks] == [(4, None)]
    assert _only([*four, _call(5, {"greeting": 8, "speech": 2})]).weakest != ()


def test_weeks_tell_calls_and_bookings_and_a_score_from_five_calls_on() -> None:
    calls = [make_call(n, converted=n < 2) for n in range(5)]
    calls += [make_call(n, business_day=date(2026, 9, 7)) for n in range(5, 9)]
    calls += [make_call(9, business_day=date(2026, 9, 7), analysis=make_analysis(overall=0.0))]
    weeks = [(w.monday, w.calls, w.converted, w.overall) for w in _only(calls).weeks]
    assert weeks == [(date(2026, 8, 31), 5, 2, 8.0), (date(2026, 9, 7), 5, 0, None)]


def test_the_unknown_administrator_has_no_block_but_stays_in_the_table() -> None:
    content = people_of_calls(
        [make_call(n, administrator="Неизвестный администратор") for n in range(6)]
    )
    assert content.profiles == ()
    assert [group.name for group in content.report.administrators] == ["Неизвестный администратор"]


def test_the_previous_period_is_each_persons_own() -> None:
    before = [make_call(n, business_day=AUGUST.first) for n in range(3)]
    before.append(make_call(9, administrator="Анна", business_day=AUGUST.first))
    (profile,) = people_of_calls([make_call(1)], before).profiles
    assert profile.previous is not None
    assert profile.previous.calls == 3
    assert _only([make_call(1)]).previous is None
