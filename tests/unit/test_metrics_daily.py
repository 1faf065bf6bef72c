from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures.report_calls import make_analysis, make_call

from medai.calls.models import Call, Direction
from medai.metrics.daily import daily_rows


def test_one_row_holds_the_formulas_of_the_contract() -> None:
    calls = [
        make_call(1, duration_seconds=100, converted=True, processing_speed_minutes=10),
        make_call(2, duration_seconds=51, analysis=make_analysis(overall=6.5)),
        make_call(3, duration_seconds=0, analysis=make_analysis(overall=0.0)),
    ]
    (row,) = daily_rows(calls)
    assert row.total_calls == 3
    assert row.converted_calls == 1
    assert row.conversion_rate == Decimal(1) / 3
    assert row.total_duration_seconds == 151
    assert row.avg_duration_seconds == Decimal(151) / 3
    assert row.total_overall_score == Decimal("14.5")
    assert row.scored_calls_count == 2  # a zero is "not scored"
    assert row.fg_percent == Decimal("72.5")  # 14.5 / 2 / 10 * 100
    assert row.total_processing_speed_minutes == 10
    assert row.calls_with_processing_speed_count == 1
    assert row.avg_processing_speed_minutes == 10


def test_labels_are_the_data_values_of_the_boards() -> None:
    call = make_call(direction=Direction.OUTBOUND, business_day=date(2026, 9, 6))
    (row,) = daily_rows([call])
    assert row.metric_date == date(2026, 9, 6)
    assert row.week_start_date == date(2026, 8, 31)  # a Sunday belongs to the week before
    assert (row.client_id, row.subdomain) == ("c1", "elka")
    assert (row.administrator, row.source) == ("Мария Иванова", "Сайт")
    assert (row.call_direction, row.call_type) == ("Исходящий", "первичка")


def test_averages_of_nothing_are_none() -> None:
    (row,) = daily_rows([make_call(analysis=make_analysis(overall=0.0))])
    assert row.fg_percent is None
    assert row.avg_processing_speed_minutes is None


@pytest.mark.parametrize(
    "call",
    [
        make_call(transcript=None),
        make_call(analysis=None),
        make_call(analysis=make_analysis(recommendations=())),
        make_call(analysis=make_analysis(call_type="")),
    ],
    ids=["no transcript", "not analysed", "no recommendations", "no call type"],
)
def test_calls_the_boards_do_not_show_make_no_row(call: Call) -> None:
    assert daily_rows([call]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"business_day": date(2026, 9, 2)},
        {"client_id": "c2"},
        {"subdomain": "sosna"},
        {"administrator": "Алексей Петров"},
        {"direction": Direction.OUTBOUND},
        {"source": "Яндекс"},
        {"analysis": make_analysis(call_type_id=2, call_type="вторичка")},
    ],
)
def test_each_label_separates_rows(change: dict[str, object]) -> None:
    assert len(daily_rows([make_call(1), make_call(2, **change)])) == 2
