"""Scores obey the card: binary, booking, not applicable, proof and the overall mean."""

from typing import Any

import pytest
from tests.fixtures.analysis import criterion, transcript

from medai.analysis.models import CallType, CriterionScore
from medai.analysis.scorecards import scorecard
from medai.analysis.scoring import judged, merged, overall_score, unproven
from medai.analysis.shapes import CriterionAnswer

FIRST = scorecard(CallType.FIRST)
REPEAT = scorecard(CallType.REPEAT)
WHOLE = (0, 28_000)


def score(key: str, answer: dict[str, Any], *, confidence: float = 1.0) -> CriterionScore:
    answers = {key: CriterionAnswer.model_validate(answer)}
    scores = judged(FIRST, answers, transcript(confidence=confidence), booked=False)
    return next(each for each in scores if each.key == key)


def scored(value: int | None) -> CriterionScore:
    return CriterionScore(key="k", name="К", score=value, comment="")


def test_a_positive_score_with_a_real_quote_stands() -> None:
    result = score("greeting", criterion(10, "клиника ромашка, меня зовут алина", 1))
    assert (result.score, result.needs_review, result.searched_ms) == (10, False, None)
    assert [each.quote for each in result.evidence] == ["клиника «Ромашка», меня зовут Алина"]


@pytest.mark.parametrize(
    ("quote", "utterance"), [("рада вас слышать", 1), ("болит зуб", 2), ("марина", 5), ("", 1)]
)
def test_a_positive_score_without_a_real_quote_needs_review(quote: str, utterance: int) -> None:
    result = score("greeting", criterion(8, quote, utterance))
    assert (result.score, result.needs_review, result.evidence) == (8, True, ())


def test_one_real_quote_of_several_is_enough_and_the_others_are_dropped() -> None:
    answer = criterion(9, "меня зовут", 1)
    answer["evidence"] += [
        {"utterance": 1, "quote": "меня зовут"},
        {"utterance": 3, "quote": "как вас зовут"},
    ]
    result = score("greeting", answer)
    assert [each.quote for each in result.evidence] == ["меня зовут"]
    assert not result.needs_review


def test_a_zero_is_proven_by_the_searched_window() -> None:
    result = score("doctor_presentation", criterion(0))
    assert (result.score, result.searched_ms, result.needs_review) == (0, WHOLE, False)


@pytest.mark.parametrize(("raw", "final"), [(0, 0), (4, 0), (5, 10), (10, 10)])
@pytest.mark.parametrize("key", ["appointment", "clinic_address", "passport"])
def test_binary_criteria_are_0_or_10(key: str, raw: int, final: int) -> None:
    result = score(key, criterion(raw, "возьмите, пожалуйста, паспорт", 7))
    assert result.score == final
    assert not result.needs_review


def test_other_criteria_keep_their_score() -> None:
    assert score("speech", criterion(4, "как я могу", 3)).score == 4


@pytest.mark.parametrize(("booked", "value"), [(True, 10), (False, 0)])
@pytest.mark.parametrize("card", [FIRST, REPEAT])
def test_the_crm_decides_about_the_booking_whatever_the_model_says(
    card: Any, booked: bool, value: int
) -> None:
    answers = {"patient_booking": CriterionAnswer.model_validate(criterion(5))}
    scores = judged(card, answers, transcript(), booked=booked)
    booking = next(each for each in scores if each.key == "patient_booking")
    assert (booking.score, booking.decided_by, booking.needs_review) == (value, "crm", False)


def test_not_applicable_is_no_score_where_the_card_allows_it() -> None:
    result = score("objection_handling", criterion(None, applicable=False))
    assert (result.score, result.needs_review, result.searched_ms) == (None, False, WHOLE)
    with_score = score("passport", criterion(0, applicable=False))
    assert with_score.score is None


def test_not_applicable_elsewhere_is_asked_again() -> None:
    result = score("greeting", criterion(None, applicable=False))
    assert (result.score, result.needs_review) == (None, True)
    assert score("greeting", criterion(None)).needs_review


def test_ten_for_a_price_that_never_came_up_needs_no_quote() -> None:
    assert score("price", criterion(10)).searched_ms == WHOLE
    assert not score("price", criterion(10)).needs_review
    assert score("price", criterion(9)).needs_review
    assert score("price", criterion(10, "такого не было", 1)).needs_review
    assert score("speech", criterion(10)).needs_review


def test_with_uncertain_roles_a_patients_quote_wants_a_person_but_no_second_question() -> None:
    result = score("greeting", criterion(8, "болит зуб", 2), confidence=0.5)
    assert result.needs_review
    assert unproven([result]) == ()


def test_a_trusted_quote_outweighs_a_doubtful_one() -> None:
    answer = criterion(8, "болит зуб", 2)
    answer["evidence"].append({"utterance": 1, "quote": "меня зовут"})
    result = score("greeting", answer, confidence=0.5)
    assert [each.quote for each in result.evidence] == ["меня зовут"]
    assert not result.needs_review


def test_all_criteria_come_in_the_order_of_the_card_and_missing_ones_are_asked_for() -> None:
    scores = judged(FIRST, {}, transcript(), booked=True)
    assert tuple(each.key for each in scores) == FIRST.keys
    assert unproven(scores) == FIRST.asked_keys


def test_the_second_answer_replaces_only_what_was_unproven() -> None:
    first = (
        CriterionScore(key="a", name="А", score=7, comment="", needs_review=True),
        CriterionScore(key="b", name="Б", score=3, comment="первый"),
    )
    second = [
        CriterionScore(key="a", name="А", score=5, comment="второй"),
        CriterionScore(key="b", name="Б", score=9, comment="второй"),
    ]
    assert [each.score for each in merged(first, second)] == [5, 3]


@pytest.mark.parametrize(
    ("values", "as_zero", "overall"),
    [
        ([10, 5, None], False, 7.5),
        ([10, 5, None], True, 5.0),
        ([10, 0, 0], False, 3.3333),
        ([None, None], False, 0.0),
        ([None, None], True, 0.0),
        ([], False, 0.0),
        ([], True, 0.0),
    ],
)
def test_overall_is_the_mean_of_what_counts(
    values: list[int | None], as_zero: bool, overall: float
) -> None:
    scores = [scored(each) for each in values]
    assert overall_score(scores, count_not_applicable_as_zero=as_zero) == overall
