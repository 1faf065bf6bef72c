"""What is wrong with settings, in words: which variable, and what it takes.

Never the value: it may be a secret that stands in the wrong line.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

_TAKES = {
    "int_parsing": "целое число",
    "int_from_float": "целое число",
    "float_parsing": "число",
    "bool_parsing": "true или false",
    "literal_error": "одно из {expected}",
    "greater_than_equal": "не меньше {ge}",
    "greater_than": "больше {gt}",
    "less_than_equal": "не больше {le}",
    "less_than": "меньше {lt}",
    "string_too_short": "не короче {min_length} знаков",
    "string_too_long": "не длиннее {max_length} знаков",
}
"""By pydantic's error types; their own words are English and quote the value."""


def told(error: ValidationError) -> str:
    """One line for all wrong variables, in the order of their names."""
    wrong = {str(item["loc"][0]).upper(): item for item in error.errors(include_input=False)}
    named = [f"{name}{_expected(wrong[name])}" for name in sorted(wrong)]
    return f"Неверное значение настроек: {'; '.join(named)}; смотрите .env.example"


def _expected(item: Mapping[str, Any]) -> str:
    takes = _TAKES.get(item["type"])
    return f" ({takes.format(**item.get('ctx', {})).replace(' or ', ' или ')})" if takes else ""
