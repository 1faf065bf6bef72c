"""What goes to an OpenAI-style server and what comes back, in neither's full detail."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StructuredRequest:
    """One question with a JSON schema for its answer.

    `schema` keeps the rules of openai.md 4. `max_output_tokens` includes reasoning tokens.
    """

    instructions: str
    data: str
    schema_name: str
    schema: dict[str, Any]
    cache_key: str
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one request consumed; `cached` is part of `input`."""

    input: int = 0
    cached: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class StructuredReply:
    """A finished answer: its text (JSON, not validated yet) or why there is none.

    `cut` means that the output limit was reached, `refused` that the model or its content filter
    declined; both are billed. `raw` is the body without echoes of the request.
    """

    text: str
    cut: bool
    refused: bool
    raw: dict[str, Any]
    tokens: Tokens
    model: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How to reach the model. `reasoning_effort` empty: not sent at all."""

    base_url: str
    api_key: str
    model: str
    reasoning_effort: str
    timeout_seconds: float
