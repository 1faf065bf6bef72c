"""Requests of both API styles as one question. Unknown or contradicting parameters are refused."""

from dataclasses import dataclass
from typing import Any

from medai.sandbox.openai.errors import ApiRefusedError
from medai.sandbox.openai.models import check_model
from medai.sandbox.openai.schema_rules import check_schema

_RESPONSES = frozenset(
    {
        *("model", "input", "instructions", "text", "reasoning", "max_output_tokens", "store"),
        *("service_tier", "metadata", "prompt_cache_key", "prompt_cache_options", "temperature"),
        *("safety_identifier", "top_p", "truncation", "stream", "include", "user"),
    }
)
_CHAT = frozenset(
    {
        *("model", "messages", "response_format", "max_completion_tokens", "max_tokens", "store"),
        *("service_tier", "metadata", "prompt_cache_key", "prompt_cache_options", "temperature"),
        *("safety_identifier", "top_p", "reasoning_effort", "seed", "stream", "user", "n"),
    }
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_DEFAULT_EFFORT = "medium"
_LEAST_OUTPUT_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Question:
    """A checked request. `schema` None asks for plain text; `name` is the schema's name."""

    model: str
    instructions: str
    data: str
    name: str
    schema: dict[str, Any] | None
    effort: str
    max_tokens: int | None
    cache_key: str


def from_responses(body: dict[str, Any]) -> Question:
    """POST /v1/responses. Raises ApiRefusedError."""
    model = _checked(body, _RESPONSES)
    effort = (body.get("reasoning") or {}).get("effort") or _DEFAULT_EFFORT
    text_format = (body.get("text") or {}).get("format") or {"type": "text"}
    name, schema = _schema(text_format, text_format, "text.format.schema")
    system, data = _texts(_as_messages(body.get("input")))
    return Question(
        model=model,
        instructions=f"{body.get('instructions') or ''}{system}",
        data=data,
        name=name,
        schema=schema,
        effort=_effort(effort, body, "reasoning.effort"),
        max_tokens=_limit(body.get("max_output_tokens"), "max_output_tokens"),
        cache_key=body.get("prompt_cache_key") or "",
    )


def from_chat(body: dict[str, Any]) -> Question:
    """POST /v1/chat/completions. Raises ApiRefusedError."""
    model = _checked(body, _CHAT)
    text_format = body.get("response_format") or {"type": "text"}
    inner = text_format.get("json_schema") or {}
    name, schema = _schema(text_format, inner, "response_format")
    system, data = _texts(body.get("messages"))
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return Question(
        model=model,
        instructions=system,
        data=data,
        name=name,
        schema=schema,
        effort=_effort(body.get("reasoning_effort") or "none", body, "reasoning_effort"),
        max_tokens=_limit(limit, "max_completion_tokens"),
        cache_key=body.get("prompt_cache_key") or "",
    )


def _checked(body: dict[str, Any], allowed: frozenset[str]) -> str:
    unknown = sorted(body.keys() - allowed)
    if unknown:
        raise _bad(f"Unknown parameter: '{unknown[0]}'.", unknown[0], "unknown_parameter")
    if body.get("stream"):
        raise _bad("The sandbox does not stream.", "stream", "unsupported_value")
    metadata = body.get("metadata") or {}
    if len(metadata) > 16 or any(len(k) > 64 or len(str(v)) > 512 for k, v in metadata.items()):
        raise _bad("Invalid metadata.", "metadata", "invalid_value")
    return check_model(body.get("model"))


def _effort(effort: Any, body: dict[str, Any], param: str) -> str:
    if effort not in _EFFORTS:
        raise _bad(f"Invalid value: {effort!r}.", param, "invalid_value")
    sampling = [name for name in ("temperature", "top_p") if body.get(name) is not None]
    if effort != "none" and sampling:
        message = f"Unsupported parameter: '{sampling[0]}' needs reasoning effort 'none'."
        raise _bad(message, sampling[0], "unsupported_parameter")
    return str(effort)


def _schema(
    outer: dict[str, Any], inner: dict[str, Any], param: str
) -> tuple[str, dict[str, Any] | None]:
    kind = outer.get("type")
    if kind == "text":
        return "text", None
    if kind != "json_schema":
        raise _bad(f"The sandbox does not know format {kind!r}.", param, "invalid_value")
    name, schema = inner.get("name"), inner.get("schema")
    if inner.get("strict") is not True:
        raise _bad("The sandbox answers strict schemas only.", param, "invalid_value")
    check_schema(name, schema, param)
    return str(name), schema


def _limit(value: Any, param: str) -> int | None:
    if value is not None and (not isinstance(value, int) or value < _LEAST_OUTPUT_TOKENS):
        raise _bad(f"Expected a value >= {_LEAST_OUTPUT_TOKENS}.", param, "integer_below_min_value")
    return value


def _as_messages(given: Any) -> Any:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _texts(messages: Any) -> tuple[str, str]:
    """What the application says and what the user side says."""
    if not isinstance(messages, list) or not messages:
        raise _bad("Missing required parameter: the input is empty.", "input", "missing_parameter")
    system: list[str] = []
    data: list[str] = []
    for message in messages:
        side = system if message.get("role") in ("system", "developer") else data
        side.append(_content(message.get("content")))
    return "\n".join(system), "\n".join(data)


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise _bad("Invalid content.", "input", "invalid_type")
    return "\n".join(str(part.get("text") or "") for part in content)


def _bad(message: str, param: str, code: str) -> ApiRefusedError:
    return ApiRefusedError(400, message, code=code, param=param)
