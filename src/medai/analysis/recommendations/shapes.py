"""The JSON shapes of conclusions (rules of `analysis/shapes.py`).

Schema names a simulator or a log can go by: `WeekConclusions`, `MonthConclusions`.
"""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from medai.analysis.shapes import Shape, Text

MOST_POINTS = 10
"""Contract 7: up to ten."""
MOST_ADVICE = 7

Points = Annotated[list[Text], Field(min_length=1, max_length=MOST_POINTS)]
Listed = Annotated[list[Text], Field(max_length=MOST_ADVICE)]


class PeriodAdvice(Shape):
    """Advice to the clinic; `examples` are numbers of the recommendations it follows from."""

    text: Text
    examples: list[int]


class WeekConclusions(Shape):
    """`criteria` has one remark per asked key; `week_shape` builds the real class."""

    conclusions: Text
    criteria: BaseModel
    advice: Annotated[list[PeriodAdvice], Field(min_length=1, max_length=MOST_ADVICE)]
    verdict: Text
    summary_points: Points


class MonthConclusions(Shape):
    """`criteria` has one remark per asked key; `month_shape` builds the real class."""

    trend: Text
    criteria: BaseModel
    problems: Listed
    strategy: Annotated[list[Text], Field(min_length=1, max_length=MOST_ADVICE)]
    totals: Text
    summary_points: Points


def remarks(answer: WeekConclusions | MonthConclusions) -> dict[str, str]:
    """Criterion key -> remark."""
    return {key: getattr(answer.criteria, key) for key in type(answer.criteria).model_fields}


@lru_cache(maxsize=64)
def week_shape(keys: tuple[str, ...]) -> type[WeekConclusions]:
    """The answer about a week in which these criteria were scored."""
    return create_model(
        "WeekConclusions", __base__=WeekConclusions, criteria=(_criteria(keys), ...)
    )


@lru_cache(maxsize=64)
def month_shape(keys: tuple[str, ...]) -> type[MonthConclusions]:
    """The answer about a month in which these criteria were scored."""
    return create_model(
        "MonthConclusions", __base__=MonthConclusions, criteria=(_criteria(keys), ...)
    )


def _criteria(keys: tuple[str, ...]) -> type[BaseModel]:
    if not keys:
        raise ValueError("conclusions need at least one scored criterion")
    fields: dict[str, Any] = dict.fromkeys(keys, (Text, ...))
    return create_model("CriterionRemarks", __base__=Shape, **fields)
