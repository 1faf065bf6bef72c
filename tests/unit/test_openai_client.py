"""What is sent to OpenAI-style servers, and how each kind of answer is sorted (openai.md 4, 7)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest
from tests.fixtures.openai_transport import (
    Wire,
    client,
    completion,
    cut,
    message,
    problem,
    response,
)

from medai.errors import (
    NoAnswerError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
    SettingsError,
)
from medai.integrations.openai.client import Strategy
from medai.integrations.openai.models import StructuredRequest, Tokens

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
REQUEST = StructuredRequest(
    instructions="Правила",
    data="Данные",
    schema_name="Probe",
    schema=SCHEMA,
    cache_key="medai-1-probe",
    max_output_tokens=500,
)
STRATEGIES: list[Strategy] = ["responses", "chat_json_schema"]


async def failing(*answers: httpx2.Response | Exception, strategy: Strategy) -> ProviderError:
    wire = Wire(answers)
    with pytest.raises(ProviderError) as caught:
        await client(wire, strategy).ask(REQUEST)
    assert len(wire.sent) == 1, "the SDK must not repeat by itself"
    assert caught.value.provider == "openai"
    assert "секретный" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


async def test_responses_request_is_strict_private_and_cacheable() -> None:
    wire = Wire([response('{"a": 1}')])
    await client(wire).ask(REQUEST)
    assert str(wire.requests[0].url) == "http://model.test/v1/responses"
    assert wire.requests[0].headers["authorization"] == "Bearer sk-invented"
    assert wire.sent[0] == {
        "model": "gpt-6-luna",
        "instructions": "Правила",
        "input": "Данные",
        "text": {
            "format": {"type": "json_schema", "name": "Probe", "schema": SCHEMA, "strict": True}
        },
        "max_output_tokens": 500,
        "prompt_cache_key": "medai-1-probe",
        "store": False,
        "reasoning": {"effort": "none"},
        "temperature": 0,
    }


@pytest.mark.parametrize(("effort", "sent"), [("low", {"effort": "low"}), ("", None)])
async def test_temperature_goes_only_with_effort_none(effort: str, sent: Any) -> None:
    wire = Wire([response()])
    await client(wire, reasoning_effort=effort).ask(REQUEST)
    assert wire.sent[0].get("reasoning") == sent
    assert "temperature" not in wire.sent[0]


async def test_chat_request_uses_only_what_compatible_servers_know() -> None:
    wire = Wire([completion('{"a": 1}')])
    await client(wire, "chat_json_schema").ask(REQUEST)
    assert str(wire.requests[0].url) == "http://model.test/v1/chat/completions"
    assert wire.sent[0] == {
        "model": "gpt-6-luna",
        "messages": [
            {"role": "system", "content": "Правила"},
            {"role": "user", "content": "Данные"},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "Probe", "schema": SCHEMA, "strict": True},
        },
        "max_tokens": 500,
        "temperature": 0,
    }


async def test_only_the_final_message_is_the_answer() -> None:
    reply = await client(Wire([response('{"a": 1}')])).ask(REQUEST)
    assert (reply.text, reply.cut) == ('{"a": 1}', False)
    assert (reply.tokens, reply.model) == (Tokens(100, 30, 20), "gpt-6-luna-2026")
    assert reply.request_id == "req_1"
    assert "instructions" not in reply.raw
    assert reply.raw["usage"]["total_tokens"] == 120


async def test_chat_answer() -> None:
    reply = await client(Wire([completion('{"a": 1}')]), "chat_json_schema").ask(REQUEST)
    assert (reply.text, reply.cut, reply.model) == ('{"a": 1}', False, "qwen")
    assert reply.tokens == Tokens(50, 0, 5)


async def test_a_minimal_body_of_a_plain_server_is_enough() -> None:
    part = {"type": "output_text", "text": "{}"}
    body = {"id": "r", "object": "response", "output": [message(part)]}
    reply = await client(Wire([httpx2.Response(200, json=body)])).ask(REQUEST)
    assert (reply.text, reply.tokens) == ("{}", Tokens())


async def test_a_cut_answer_says_so() -> None:
    assert (await client(Wire([cut()])).ask(REQUEST)).cut
    reply = await client(Wire([completion("{", "length")]), "chat_json_schema").ask(REQUEST)
    assert reply.cut
    nothing = cut("")
    assert (await client(Wire([nothing])).ask(REQUEST)).text == ""


REFUSALS: list[tuple[httpx2.Response, Strategy]] = [
    (response(output=[message({"type": "refusal", "refusal": "секретный отказ"})]), "responses"),
    (
        response(status="incomplete", incomplete_details={"reason": "content_filter"}),
        "responses",
    ),
    (completion(None, refusal="секретный отказ"), "chat_json_schema"),
    (completion("{}", "content_filter"), "chat_json_schema"),
]


@pytest.mark.parametrize(("answer", "strategy"), REFUSALS)
async def test_a_refusal_is_an_answer_with_its_price(
    answer: httpx2.Response, strategy: Strategy
) -> None:
    reply = await client(Wire([answer]), strategy).ask(REQUEST)
    assert reply.refused
    assert reply.tokens.input > 0


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "invalid_api_key"), ProviderStoppedError),
        (problem(402), ProviderStoppedError),
        (problem(403, "unsupported_country_region_territory"), ProviderStoppedError),
        (problem(404, "model_not_found"), ProviderStoppedError),
        (problem(429, "insufficient_quota"), ProviderStoppedError),
        (problem(429, "credit_balance_exhausted"), ProviderStoppedError),
        (problem(429, "organization_spend_limit_exceeded"), ProviderStoppedError),
        (problem(429, "project_spend_limit_exceeded"), ProviderStoppedError),
        (problem(429, "organization_usage_limit_exceeded"), ProviderStoppedError),
        (problem(429, "rate_limit_exceeded"), ProviderRateLimitedError),
        (problem(429), ProviderRateLimitedError),
        (problem(503, "slow_down"), ProviderRateLimitedError),
        (problem(503, "server_is_overloaded"), ProviderRateLimitedError),
        (problem(500, "server_error"), ProviderUnavailableError),
        (httpx2.Response(502, text="<html>секретный</html>"), ProviderUnavailableError),
        (problem(408), ProviderUnavailableError),
        (problem(409), ProviderUnavailableError),
        (problem(400, "context_length_exceeded"), ProviderRejectedError),
        (problem(422), ProviderRejectedError),
        (httpx2.ConnectError("refused"), ProviderUnavailableError),
        (httpx2.ConnectTimeout("slow"), ProviderUnavailableError),
        (httpx2.ReadTimeout("slow"), NoAnswerError),
        (httpx2.RemoteProtocolError("reset"), NoAnswerError),
        (httpx2.Response(504, text="<html>секретный</html>"), NoAnswerError),
        (httpx2.Response(200, text="<html>секретный</html>"), ProviderAnswerError),
        (httpx2.Response(200, json=["секретный"]), ProviderAnswerError),
        (httpx2.Response(200, json={}), ProviderAnswerError),
        (httpx2.Response(200, json={"output": None, "choices": []}), ProviderAnswerError),
        (httpx2.Response(200, json={"output": "секретный", "choices": [1]}), ProviderAnswerError),
        (httpx2.Response(200, content=b"\xff\xfe"), ProviderAnswerError),
        (httpx2.Response(200, content=b"[" * 200_000), ProviderAnswerError),
    ],
)
async def test_failures_are_sorted_by_what_helps(
    answer: httpx2.Response | Exception, error: type[ProviderError], strategy: Strategy
) -> None:
    assert type(await failing(answer, strategy=strategy)) is error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("server_error", ProviderUnavailableError),
        (None, ProviderUnavailableError),
        ("rate_limit_exceeded", ProviderRateLimitedError),
        ("insufficient_quota", ProviderStoppedError),
        ("invalid_prompt", ProviderRejectedError),
    ],
)
async def test_a_failed_answer_with_http_200(code: str | None, error: type[ProviderError]) -> None:
    failed = response(status="failed", output=[], error={"code": code, "message": "секретный"})
    assert type(await failing(failed, strategy="responses")) is error
    wrapped = httpx2.Response(200, json={"error": {"code": code, "message": "секретный"}})
    assert type(await failing(wrapped, strategy="chat_json_schema")) is error


@pytest.mark.parametrize("status", ["cancelled", "queued", "in_progress", "новый"])
async def test_an_unfinished_answer_is_not_read(status: str) -> None:
    answer = response("{}", status=status)
    assert type(await failing(answer, strategy="responses")) is ProviderAnswerError


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after": "9"}, 9.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({}, None),
    ],
)
async def test_the_servers_own_wait_is_kept(headers: dict[str, str], seconds: float) -> None:
    error = await failing(problem(429, **headers), strategy="responses")
    assert isinstance(error, ProviderRateLimitedError)
    assert error.retry_after == seconds


async def test_a_wait_until_a_moment() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    error = await failing(problem(429, retry_after=until), strategy="responses")
    assert isinstance(error, ProviderRateLimitedError)
    assert error.retry_after is not None
    assert 50 < error.retry_after <= 60


async def test_status_and_request_id_are_kept_for_support() -> None:
    error = await failing(problem(500, x_request_id="req_9"), strategy="responses")
    assert (error.status, error.request_id) == (500, "req_9")


async def test_a_strange_code_is_not_shown() -> None:
    error = await failing(problem(400, "Иван Петров, +79000000001"), strategy="responses")
    assert "Петров" not in error.message


@pytest.mark.parametrize("key", ["", "  "])
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_without_a_key_nothing_is_sent(key: str, strategy: Strategy) -> None:
    wire = Wire([response()])
    with pytest.raises(SettingsError, match="OPENAI"):
        await client(wire, strategy, api_key=key).ask(REQUEST)
    assert wire.sent == []
