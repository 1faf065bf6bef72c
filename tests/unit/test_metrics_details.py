from datetime import date

import pytest
from tests.fixtures.report_calls import Links, make_analysis, make_call

from medai.calls.models import Call
from medai.metrics.details import detail_rows


def test_a_row_holds_the_call_and_its_links() -> None:
    analysis = make_analysis(
        scores={"greeting": 9, "speech": 8}, recommendations=("Первая.", "Вторая.")
    )
    (row,) = detail_rows([make_call(7, analysis=analysis)], Links())
    assert row.call_mongo_id == f"{7:024x}"
    assert row.metric_date == date(2026, 9, 1)
    assert row.transcript_url == (
        "https://medai.example/api/transcriptions/79000000001_7.txt/download"
    )
    assert row.recording_url == f"https://medai.example/api/calls/download/{7:024x}"
    assert row.recommendations_text == "Первая.\nВторая."
    assert row.call_type == "первичка"
    assert row.is_effective is True
    assert row.matched_criteria == "Приветствие, Речь"
    assert row.call_id is None


@pytest.mark.parametrize(
    "call",
    [
        make_call(transcript=None),
        make_call(recording_url=None),
        make_call(recording_url=""),
        make_call(analysis=make_analysis(recommendations=())),
    ],
    ids=["no transcript", "no recording", "empty recording", "no recommendations"],
)
def test_calls_without_something_to_open_make_no_row(call: Call) -> None:
    assert detail_rows([call], Links()) == []


def test_rows_come_by_day_and_id() -> None:
    calls = [
        make_call(2),
        make_call(1, business_day=date(2026, 9, 2)),
        make_call(1),
    ]
    found = [(row.metric_date.day, row.call_mongo_id[-1]) for row in detail_rows(calls, Links())]
    assert found == [(1, "1"), (1, "2"), (2, "1")]
