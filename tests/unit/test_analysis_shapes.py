"""Schemas obey strict mode (openai.md 4) and answers are validated again here."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from tests.fixtures.analysis import criterion

from medai.analysis.models import CallType
from medai.analysis.scorecards import SCORED_TYPES, scorecard
from medai.analysis.shapes import (
    AdministratorChoice,
    CallClassification,
    CriterionAnswer,
    criterion_answers,
    recheck_shape,
    scoring_shape,
)

SHAPES: list[type[BaseModel]] = [
    CallClassification,
    AdministratorChoice,
    recheck_shape(("price",)),
    *(scoring_shape(scorecard(each).asked_keys) for each in SCORED_TYPES),
]
ADVICE = ["Представьтесь.", "Назовите цену.", "Запишите."]


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for each in schema.values():
            yield from nodes(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from nodes(each)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_schema_is_strict(shape: type[BaseModel]) -> None:
    for node in nodes(shape.model_json_schema()):
        assert "default" not in node
        assert not {"prefixItems", "minLength", "patternProperties"} & node.keys()
        assert "$ref" not in node or len(node) == 1
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def test_reasoning_comes_before_the_verdict() -> None:
    assert list(CallClassification.model_fields) == ["explanation", "call_type_id"]
    assert list(CriterionAnswer.model_fields) == ["comment", "evidence", "applicable", "score"]


def test_scoring_asks_for_each_criterion_but_not_for_the_booking() -> None:
    schema = scoring_shape(scorecard(CallType.FIRST).asked_keys).model_json_schema()
    asked = list(schema["$defs"]["Criteria"]["properties"])
    assert len(asked) == 16
    assert "patient_booking" not in asked


def test_answers_keep_the_order_of_the_card() -> None:
    shape = scoring_shape(("price", "speech"))
    answer = shape.model_validate(
        {"criteria": {"speech": criterion(1), "price": criterion(2)}, "recommendations": ADVICE}
    )
    assert {key: each.score for key, each in criterion_answers(answer).items()} == {
        "price": 2,
        "speech": 1,
    }
    assert list(criterion_answers(answer)) == ["price", "speech"]


@pytest.mark.parametrize(
    "answer",
    [
        {"criteria": {"price": criterion(11)}, "recommendations": ADVICE},
        {"criteria": {"price": criterion(-1)}, "recommendations": ADVICE},
        {"criteria": {}, "recommendations": ADVICE},
        {"criteria": {"price": criterion(1), "other": criterion(1)}, "recommendations": ADVICE},
        {"criteria": {"price": criterion(1)}, "recommendations": ADVICE[:2]},
        {"criteria": {"price": criterion(1)}, "recommendations": [*ADVICE, "Ещё."]},
        {"criteria": {"price": criterion(1)}, "recommendations": ["Да.", " \n", "Нет."]},
        {"criteria": {"price": {**criterion(1), "comment": " "}}, "recommendations": ADVICE},
        {"criteria": {"price": {**criterion(1), "score": 7.5}}, "recommendations": ADVICE},
    ],
)
def test_answers_outside_the_limits_are_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        scoring_shape(("price",)).model_validate(answer)


@pytest.mark.parametrize("call_type_id", [0, 6, None, "первичка"])
def test_unknown_call_types_are_refused(call_type_id: object) -> None:
    with pytest.raises(ValidationError):
        CallClassification.model_validate({"explanation": "Да.", "call_type_id": call_type_id})


def test_texts_become_one_line() -> None:
    said = CallClassification.model_validate({"explanation": " Раз\n два ", "call_type_id": 1})
    assert said.explanation == "Раз два"


def test_a_shape_without_criteria_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        scoring_shape(())
