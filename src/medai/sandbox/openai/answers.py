"""A generated text as the bodies of both API styles, with usage."""

from dataclasses import dataclass
from typing import Any, Literal

from medai.sandbox.openai.question import Question

Outcome = Literal["completed", "incomplete", "refused", "failed"]
REFUSAL = "I'm sorry, I can't help with that."
_CHARS_PER_TOKEN = 3
_CACHED_FROM = 1024
_REASONING = {"none": 0, "minimal": 32, "low": 64, "medium": 256, "high": 1024}
_FAILURE = {"code": "server_error", "message": "The model failed to generate a response."}


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, counted from text lengths. Output includes reasoning."""

    instructions: int
    data: int
    cached: int
    written: int
    reasoning: int
    output: int

    @property
    def input(self) -> int:
        """All prompt tokens."""
        return self.instructions + self.data


@dataclass(frozen=True, slots=True)
class Generated:
    """What the model produced. `text` is empty when it was cut off while reasoning."""

    id: str
    created: int
    outcome: Outcome
    text: str
    usage: Usage


def tokens(text: str) -> int:
    """A rough count: three characters make a token."""
    return -(-len(text) // _CHARS_PER_TOKEN)


def usage(question: Question, text: str, *, warm: bool) -> Usage:
    """Tokens of the exchange. `warm`: the same instructions were sent before (prompt cache)."""
    instructions = tokens(question.instructions)
    cacheable = instructions if instructions >= _CACHED_FROM else 0
    reasoning = _REASONING.get(question.effort, _REASONING["high"])
    return Usage(
        instructions=instructions,
        data=tokens(question.data),
        cached=cacheable if warm else 0,
        written=0 if warm else cacheable,
        reasoning=reasoning,
        output=tokens(text) + reasoning,
    )


def response(question: Question, made: Generated) -> dict[str, Any]:
    """The body of POST /v1/responses."""
    status = "completed" if made.outcome == "refused" else made.outcome
    reason = {"reason": "max_output_tokens"} if made.outcome == "incomplete" else None
    return {
        "id": f"resp_{made.id}",
        "object": "response",
        "created_at": made.created,
        "status": status,
        "error": _FAILURE if made.outcome == "failed" else None,
        "incomplete_details": reason,
        "instructions": question.instructions or None,
        "model": question.model,
        "output": _output(question, made, status),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": question.effort, "summary": None},
        "service_tier": "default",
        "store": False,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
        "usage": _response_usage(made.usage) if made.outcome != "failed" else None,
    }


def _output(question: Question, made: Generated, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if question.effort != "none":
        items.append({"id": f"rs_{made.id}", "type": "reasoning", "summary": []})
    part: dict[str, Any] = {"type": "output_text", "text": made.text, "annotations": []}
    if made.outcome == "refused":
        part = {"type": "refusal", "refusal": REFUSAL}
    if made.text or made.outcome == "refused":
        message = {"id": f"msg_{made.id}", "type": "message", "role": "assistant"}
        items.append({**message, "status": status, "content": [part]})
    return items


def _response_usage(used: Usage) -> dict[str, Any]:
    return {
        "input_tokens": used.input,
        "input_tokens_details": {
            "cached_tokens": used.cached,
            "cache_write_tokens": used.written,
        },
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
        "total_tokens": used.input + used.output,
    }


def completion(question: Question, made: Generated) -> dict[str, Any]:
    """The body of POST /v1/chat/completions."""
    refused = made.outcome == "refused"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused else made.text,
        "refusal": REFUSAL if refused else None,
        "annotations": [],
    }
    finish = "length" if made.outcome == "incomplete" else "stop"
    used = made.usage
    return {
        "id": f"chatcmpl-{made.id}",
        "object": "chat.completion",
        "created": made.created,
        "model": question.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "service_tier": "default",
        "usage": {
            "prompt_tokens": used.input,
            "completion_tokens": used.output,
            "total_tokens": used.input + used.output,
            "prompt_tokens_details": {"cached_tokens": used.cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": used.reasoning, "audio_tokens": 0},
        },
    }
