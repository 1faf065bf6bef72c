"""The JSON shapes the model must answer in: pydantic models that are sent as strict schemas.

Rules of openai.md 4: every field required, no defaults, no dict, no tuple, nothing extra. The
reasoning stands before the verdict, because the model writes fields in order. Servers that do not
enforce a schema exist, so each answer is validated by these same classes again.

Schema names a simulator or a log can go by: `CallClassification`, `CallScoring`,
`CriteriaRecheck`, `AdministratorChoice`.
"""

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

RECOMMENDATIONS = 3
"""Contract 7: a list of three."""


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if not line:
        raise ValueError("blank text")
    return line


# A validator instead of `min_length`: strict mode of some models refuses the keyword minLength.
Text = Annotated[str, AfterValidator(_one_line)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallClassification(Shape):
    explanation: Text
    call_type_id: Literal[1, 2, 3, 4, 5]


class Quote(Shape):
    utterance: int
    quote: str


class CriterionAnswer(Shape):
    comment: Text
    evidence: list[Quote]
    applicable: bool
    score: Annotated[int, Field(ge=0, le=10)] | None


class AdministratorChoice(Shape):
    reasoning: Text
    first_name: str | None
    last_name: str | None
    confidence: Annotated[float, Field(ge=0, le=1)]


class CriteriaRecheck(Shape):
    """`criteria` has one `CriterionAnswer` per asked key; `recheck_shape` builds the real class."""

    criteria: BaseModel


class CallScoring(CriteriaRecheck):
    """The same with recommendations; `scoring_shape` builds the real class."""

    recommendations: Annotated[
        list[Text], Field(min_length=RECOMMENDATIONS, max_length=RECOMMENDATIONS)
    ]


def criterion_answers(answer: CriteriaRecheck) -> dict[str, CriterionAnswer]:
    """Criterion key -> answer, in the order of the shape."""
    return {key: getattr(answer.criteria, key) for key in type(answer.criteria).model_fields}


@lru_cache(maxsize=64)
def scoring_shape(keys: tuple[str, ...]) -> type[CallScoring]:
    """The answer to a scoring request: one object per criterion key, then recommendations."""
    return create_model("CallScoring", __base__=CallScoring, criteria=(_criteria(keys), ...))


@lru_cache(maxsize=256)
def recheck_shape(keys: tuple[str, ...]) -> type[CriteriaRecheck]:
    """The answer to the second request, which names only the criteria without proof."""
    return create_model(
        "CriteriaRecheck", __base__=CriteriaRecheck, criteria=(_criteria(keys), ...)
    )


def _criteria(keys: tuple[str, ...]) -> type[BaseModel]:
    if not keys:
        raise ValueError("a scoring request needs at least one criterion")
    fields: dict[str, Any] = dict.fromkeys(keys, (CriterionAnswer, ...))
    return create_model("Criteria", __base__=Shape, **fields)
