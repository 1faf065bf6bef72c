"""The comparison that contract tests rely on refuses what is not as described."""

from typing import Any

import pytest
from tests.fixtures.shapes import shaped

DATA = {"calls": [{"id": str, "note": (int, None)}], "counts": {str: int}}
SHAPE = {"success": True, "data": DATA}


def _body(**changes: Any) -> dict[str, Any]:
    data = {"calls": [{"id": "a", "note": None}], "counts": {"pending": 1}, **changes}
    return {"success": True, "data": data, "more": "is allowed"}


def test_a_body_as_described_passes() -> None:
    shaped(_body(), SHAPE)
    shaped(_body(calls=[]), SHAPE)
    shaped(1, float)


@pytest.mark.parametrize(
    "body",
    [
        _body(calls=[{"id": 1, "note": None}]),
        _body(calls=[{"id": "a"}]),
        _body(calls=[{"id": "a", "note": True}]),
        _body(calls={}),
        _body(counts={"pending": "1"}),
        {**_body(), "success": False},
        {**_body(), "success": 1},
        [],
    ],
)
def test_anything_else_is_refused(body: Any) -> None:
    with pytest.raises(AssertionError):
        shaped(body, SHAPE)
