from typing import Any

import pytest
from tests.fixtures.report_calls import make_analysis

from medai.errors import InvalidInputError
from medai.metrics.efficiency import (
    EfficiencySettings,
    ScoreRange,
    VerdictRanges,
    efficiency,
    parse_range,
)


def test_an_effective_call_is_matched_by_its_good_criteria() -> None:
    scores = {"greeting": 10, "patient_name": 4, "speech": 9, "patient_booking": 9}
    verdict = efficiency(make_analysis(scores=scores))
    assert verdict.average == 8.0
    assert verdict.is_effective
    assert verdict.label == "Эффективный"
    # 4 is below 5, and a booking counts only with 10
    assert verdict.matched_criteria == ("Приветствие", "Речь")


def test_an_ineffective_call_is_matched_by_its_bad_criteria() -> None:
    scores = {"greeting": 4, "speech": 5, "patient_booking": 9}
    verdict = efficiency(make_analysis(scores=scores))
    assert verdict.average == 6.0
    assert not verdict.is_effective
    assert verdict.label == "Неэффективный"
    assert verdict.matched_criteria == ("Приветствие", "Запись на прием")


@pytest.mark.parametrize(
    ("scores", "effective"), [((7, 7), True), ((6, 7), False), ((6, 6), False)]
)
def test_a_mean_between_the_ranges_is_not_effective(
    scores: tuple[int, int], effective: bool
) -> None:
    first, second = scores
    analysis = make_analysis(scores={"greeting": first, "speech": second})
    assert efficiency(analysis).is_effective is effective


def test_criteria_that_did_not_apply_do_not_count() -> None:
    verdict = efficiency(make_analysis(scores={"greeting": 8, "objection_handling": None}))
    assert verdict.average == 8.0
    assert verdict.matched_criteria == ("Приветствие",)


def test_a_call_without_scores_is_not_effective() -> None:
    verdict = efficiency(make_analysis(scores={"greeting": None}))
    assert (verdict.is_effective, verdict.matched_criteria, verdict.average) == (False, (), None)


def test_a_clinic_may_set_its_own_ranges() -> None:
    settings = EfficiencySettings(
        overall=VerdictRanges(ScoreRange(5, 10), ScoreRange(0, 4)),
        criteria={"Приветствие": VerdictRanges(ScoreRange(10, 10), ScoreRange(0, 9))},
    )
    verdict = efficiency(make_analysis(scores={"greeting": 9, "speech": 5}), settings)
    assert verdict.is_effective
    assert verdict.matched_criteria == ("Речь",)


@pytest.mark.parametrize(
    ("stored", "low", "high"),
    [("7-10", 7, 10), ("10", 10, 10), (10, 10, 10), ([0, 6], 0, 6), (" 5 - 6.5 ", 5, 6.5)],
)
def test_ranges_are_read_in_every_stored_form(stored: Any, low: float, high: float) -> None:
    assert parse_range(stored) == ScoreRange(low, high)


@pytest.mark.parametrize(
    "stored", ["", "10-7", "a-b", "1-2-3", "-1", "0-11", [], [1, 2, 3], None, {}, "nan"]
)
def test_other_forms_are_refused(stored: Any) -> None:
    with pytest.raises(InvalidInputError, match="диапазон"):
        parse_range(stored)
