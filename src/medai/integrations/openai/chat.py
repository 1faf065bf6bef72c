"""The `chat_json_schema` strategy: POST /chat/completions of OpenAI-compatible servers.

Structured output is dependable only there on vLLM, llama.cpp, LM Studio and Ollama (openai.md 8).
"""

from typing import Any

from pydantic import BaseModel, Field

from medai.integrations.openai import failures
from medai.integrations.openai.models import (
    ModelOptions,
    StructuredReply,
    StructuredRequest,
    Tokens,
)

_KEPT = ("id", "created", "model", "choices", "usage", "system_fingerprint")


def arguments(request: StructuredRequest, options: ModelOptions) -> dict[str, Any]:
    """Keyword arguments of `chat.completions.create`: only what all such servers understand."""
    shape = {"name": request.schema_name, "schema": request.schema, "strict": True}
    return {
        "model": options.model,
        "messages": [
            {"role": "system", "content": request.instructions},
            {"role": "user", "content": request.data},
        ],
        "response_format": {"type": "json_schema", "json_schema": shape},
        "max_tokens": request.max_output_tokens,
        "temperature": 0,
    }


def read(body: dict[str, Any], request_id: str | None) -> StructuredReply:
    """A body that was answered with HTTP 200.

    Raises the ProviderError of `failures` for errors wrapped in a 200 (gateways do that),
    ValidationError for a body of another form.
    """
    if isinstance(body.get("error"), dict):
        raise failures.from_failed(_Error.model_validate(body["error"]).code, request_id)
    answer = _Body.model_validate(body)
    choice = answer.choices[0]
    return StructuredReply(
        text=choice.message.content or "",
        cut=choice.finish_reason == "length",
        refused=choice.finish_reason == "content_filter" or bool(choice.message.refusal),
        raw={key: body[key] for key in _KEPT if key in body},
        tokens=answer.tokens,
        model=answer.model,
        request_id=request_id,
    )


class _Error(BaseModel, coerce_numbers_to_str=True):
    code: str | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _PromptDetails(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Body(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    model: str = ""
    usage: _Usage | None = None

    @property
    def tokens(self) -> Tokens:
        used = self.usage or _Usage()
        details = used.prompt_tokens_details or _PromptDetails()
        return Tokens(used.prompt_tokens, details.cached_tokens or 0, used.completion_tokens)
