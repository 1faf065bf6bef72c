from decimal import Decimal

from tests.fixtures.report_calls import make_analysis, make_call

from medai.metrics.criteria import criterion_rows
from medai.metrics.names import in_display_order, named_scores


def test_a_row_counts_zeros_and_leaves_out_what_did_not_apply() -> None:
    calls = [
        make_call(number, analysis=make_analysis(scores={"greeting": score}))
        for number, score in enumerate([10, 0, None, 5])
    ]
    (row,) = criterion_rows(calls)
    assert row.criterion_name == "Приветствие"
    assert row.total_score == 15
    assert row.scored_calls_count == 3
    assert row.avg_score == Decimal(5)


def test_a_criterion_that_never_applied_has_no_row() -> None:
    call = make_call(analysis=make_analysis(scores={"greeting": 7, "objection_handling": None}))
    assert [row.criterion_name for row in criterion_rows([call])] == ["Приветствие"]


def test_booking_criteria_keep_the_names_of_the_boards() -> None:
    call = make_call(analysis=make_analysis(scores={"appointment": 10, "patient_booking": 0}))
    found = {row.criterion_name: row.total_score for row in criterion_rows([call])}
    assert found == {"Запись": 10, "Запись на прием": 0}


def test_calls_without_recommendations_make_no_row() -> None:
    assert criterion_rows([make_call(analysis=make_analysis(recommendations=()))]) == []


def test_names_come_in_display_order_whatever_order_was_stored() -> None:
    stored = {"speech": 3, "greeting": 1, "price": None, "patient_name": 2, "retired_key": 9}
    assert named_scores(stored) == [
        ("Приветствие", 1),
        ("Имя пациента", 2),
        ("Речь", 3),
        ("retired_key", 9),
    ]
    assert in_display_order(["b_old", "speech", "a_old", "greeting"]) == [
        "greeting",
        "speech",
        "a_old",
        "b_old",
    ]
