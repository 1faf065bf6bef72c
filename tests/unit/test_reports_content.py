"""The report model against figures computed here by plain counting."""

import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.fixtures.report_calls import (
    AUGUST,
    CLINIC,
    MOSCOW,
    SEPTEMBER,
    content_of,
    make_analysis,
    make_call,
    many_calls,
)

from medai.calls.models import Call, Direction
from medai.kit.days import DayRange
from medai.reports.models import KeyFigures, ReportClinic


def _overalls(calls: list[Call]) -> list[float]:
    return [call.analysis.overall for call in calls if call.analysis and call.analysis.overall > 0]


def _check(figures: KeyFigures, calls: list[Call]) -> None:
    inbound = [call for call in calls if call.direction is Direction.INBOUND]
    outbound = [call for call in calls if call.direction is Direction.OUTBOUND]
    overalls = _overalls(calls)
    speeds = [call.processing_speed_minutes for call in calls if call.processing_speed_minutes]
    assert (figures.calls, figures.inbound, figures.outbound) == (
        len(calls), len(inbound), len(outbound),
    )  # fmt: skip
    assert figures.seconds == sum(call.duration_seconds for call in calls)
    assert figures.average_seconds == pytest.approx(figures.seconds / len(calls))
    assert figures.conversion == pytest.approx(sum(c.converted for c in calls) / len(calls))
    if overalls:
        assert figures.fg_percent == pytest.approx(sum(overalls) / len(overalls) * 10)
    if speeds:
        assert figures.speed_minutes == pytest.approx(sum(speeds) / len(speeds))
    if inbound:
        expected = sum(call.converted for call in inbound) / len(inbound)
        assert figures.inbound_conversion == pytest.approx(expected)
    if outbound:
        expected = sum(call.converted for call in outbound) / len(outbound)
        assert figures.outbound_conversion == pytest.approx(expected)


def test_key_figures_equal_plain_counting() -> None:
    calls, before = many_calls(200), many_calls(150, seed=2, period=AUGUST)
    content = content_of(calls, previous=before)
    _check(content.current, calls)
    assert content.previous is not None
    _check(content.previous, before)


def test_every_administrator_source_and_type_equals_plain_counting() -> None:
    calls = many_calls(200)
    content = content_of(calls)
    for group in content.administrators:
        _check(group.figures, [call for call in calls if call.administrator == group.name])
    for group in content.sources:
        _check(group.figures, [call for call in calls if call.source == group.name])
    for group in content.call_types:
        _check(
            group.figures,
            [call for call in calls if call.analysis and call.analysis.call_type == group.name],
        )
    for groups in (content.administrators, content.sources, content.call_types):
        counts = [group.figures.calls for group in groups]
        assert sum(counts) == 200
        assert counts == sorted(counts, reverse=True)


def test_the_order_of_calls_does_not_matter() -> None:
    calls = many_calls(120)
    shuffled = random.Random(5).sample(calls, len(calls))
    assert content_of(shuffled) == content_of(calls)


def test_calls_of_other_days_and_without_analysis_are_left_out() -> None:
    calls = [
        make_call(1),
        make_call(2, business_day=date(2026, 8, 31)),
        make_call(3, business_day=date(2026, 10, 1)),
        make_call(4, analysis=None),
    ]
    assert content_of(calls).current.calls == 1


def test_a_zero_score_is_not_part_of_fg() -> None:
    calls = [make_call(1), make_call(2, analysis=make_analysis(overall=0.0))]
    assert content_of(calls).current.fg_percent == 80.0


def test_what_cannot_be_computed_is_none() -> None:
    call = make_call(direction=Direction.UNKNOWN, analysis=make_analysis(overall=0.0))
    figures = content_of([call]).current
    assert figures.fg_percent is None
    assert figures.speed_minutes is None
    assert figures.inbound_conversion is None
    assert figures.outbound_conversion is None
    empty = content_of([]).current
    assert empty.conversion is None
    assert empty.average_seconds is None


def test_every_day_of_the_period_is_there_once() -> None:
    calls = many_calls(50)
    days = content_of(calls).days
    assert [point.day for point in days] == list(SEPTEMBER)
    for point in days:
        of_day = [call for call in calls if call.business_day == point.day]
        assert point.calls == len(of_day)
        assert point.converted == sum(call.converted for call in of_day)


def test_the_heat_map_uses_the_clinics_own_clock() -> None:
    # 22:30 UTC on a Tuesday is 8:30 on Wednesday in Vladivostok and 1:30 in Moscow.
    calls = [
        make_call(1, client_id="east", started_at=datetime(2026, 9, 1, 22, 30, tzinfo=UTC)),
        make_call(2, client_id="c1", started_at=datetime(2026, 9, 1, 22, 30, tzinfo=UTC)),
    ]
    east = ReportClinic("east", "Восток", ZoneInfo("Asia/Vladivostok"))
    heat = content_of(calls, clinics=(CLINIC, east)).heat
    assert heat[2][8] == 1
    assert heat[2][1] == 1
    assert sum(map(sum, heat)) == 2


def test_weekly_means_equal_plain_means_without_what_did_not_apply() -> None:
    calls = many_calls(200)
    for section in content_of(calls).criteria:
        of_type = [
            call for call in calls if call.analysis and call.analysis.call_type == section.call_type
        ]
        assert section.calls == len(of_type)
        for week in section.weeks:
            assert week.monday.weekday() == 0
            members = [
                call.analysis
                for call in of_type
                if call.analysis and 0 <= (call.business_day - week.monday).days < 7
            ]
            assert week.calls == len(members)
            greetings = [score for one in members if (score := one.scores["greeting"]) is not None]
            position = section.criteria.index("Приветствие")
            assert week.means[position] == pytest.approx(sum(greetings) / len(greetings))


def test_sections_follow_the_type_and_the_scorecard_order() -> None:
    sections = content_of(many_calls(100)).criteria
    assert [section.call_type for section in sections] == [
        "первичка", "вторичка", "перезвон", "подтверждение",
    ]  # fmt: skip
    assert [len(section.criteria) for section in sections] == [17, 10, 9, 9]
    assert sections[0].criteria[:3] == ("Приветствие", "Имя пациента", "Выявление потребностей")


def test_an_iso_week_may_span_two_years() -> None:
    period = DayRange(date(2026, 12, 28), date(2027, 1, 3))
    calls = [
        make_call(1, business_day=date(2026, 12, 31)),
        make_call(2, business_day=date(2027, 1, 1)),
    ]
    (section,) = content_of(calls, period=period).criteria
    assert [(week.monday, week.calls) for week in section.weeks] == [(date(2026, 12, 28), 2)]


def test_namesakes_of_several_clinics_stay_apart() -> None:
    calls = [make_call(1), make_call(2, client_id="c2"), make_call(3, client_id="gone")]
    clinics = (CLINIC, ReportClinic("c2", "Клиника «Сосна»", MOSCOW))
    found = {
        (group.name, group.clinic) for group in content_of(calls, clinics=clinics).administrators
    }
    assert found == {
        ("Мария Иванова", "Клиника «Ёлка»"),
        ("Мария Иванова", "Клиника «Сосна»"),
        ("Мария Иванова", "Другая клиника"),
    }


def test_an_empty_earlier_period_is_no_comparison() -> None:
    content = content_of([make_call()], previous=[])
    assert content.previous is None
