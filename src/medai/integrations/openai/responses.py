"""The `responses` strategy: POST /responses of OpenAI (openai.md 4)."""

from typing import Any

from pydantic import BaseModel

from medai.integrations.openai import failures
from medai.integrations.openai.models import (
    ModelOptions,
    StructuredReply,
    StructuredRequest,
    Tokens,
)

_KEPT = (
    "id", "created_at", "model", "status", "error", "incomplete_details", "output", "usage",
    "service_tier",
)  # fmt: skip
"""The rest of the body repeats the request."""


def arguments(request: StructuredRequest, options: ModelOptions) -> dict[str, Any]:
    """Keyword arguments of `responses.create`. The answer is never kept by the provider."""
    shape = {
        "type": "json_schema",
        "name": request.schema_name,
        "schema": request.schema,
        "strict": True,
    }
    sent: dict[str, Any] = {
        "model": options.model,
        "instructions": request.instructions,
        "input": request.data,
        "text": {"format": shape},
        "max_output_tokens": request.max_output_tokens,
        "prompt_cache_key": request.cache_key,
        "store": False,
    }
    if options.reasoning_effort:
        sent["reasoning"] = {"effort": options.reasoning_effort}
    if options.reasoning_effort == "none":
        sent["temperature"] = 0  # unsupported with any other effort (openai.md 3)
    return sent


def read(body: dict[str, Any], request_id: str | None) -> StructuredReply:
    """A body that was answered with HTTP 200; its own status is looked at before anything else.

    Raises the ProviderError of `failures` for failures, ValidationError for a body of another form.
    """
    answer = _Body.model_validate(body)
    if answer.status == "failed":
        raise failures.from_failed(answer.error.code if answer.error else None, request_id)
    parts = [part for item in answer.output if item.is_answer for part in item.content or ()]
    if answer.status not in {None, "completed", "incomplete"}:
        raise failures.unreadable(request_id)
    return StructuredReply(
        text="".join(part.text or "" for part in parts if part.type == "output_text"),
        cut=answer.status == "incomplete",
        refused=answer.reason == "content_filter" or any(part.refusal for part in parts),
        raw={key: body[key] for key in _KEPT if key in body},
        tokens=answer.tokens,
        model=answer.model,
        request_id=request_id,
    )


class _Part(BaseModel):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Item(BaseModel):
    type: str
    phase: str | None = None
    content: list[_Part] | None = None

    @property
    def is_answer(self) -> bool:
        return self.type == "message" and self.phase in {None, "final_answer"}


class _Error(BaseModel):
    code: str | None = None


class _Reason(BaseModel):
    reason: str | None = None


class _InputDetails(BaseModel):
    cached_tokens: int = 0


class _Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: _InputDetails | None = None


class _Body(BaseModel):
    output: list[_Item]
    status: str | None = None
    model: str = ""
    error: _Error | None = None
    incomplete_details: _Reason | None = None
    usage: _Usage | None = None

    @property
    def reason(self) -> str | None:
        return self.incomplete_details.reason if self.incomplete_details else None

    @property
    def tokens(self) -> Tokens:
        used = self.usage or _Usage()
        details = used.input_tokens_details or _InputDetails()
        return Tokens(used.input_tokens, details.cached_tokens, used.output_tokens)
