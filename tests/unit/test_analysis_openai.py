"""The adapter's second try: when it happens, how often, and what it costs."""

import asyncio
import json
from datetime import timedelta

import httpx2
import pytest
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.openai_transport import (
    Wire,
    client,
    completion,
    cut,
    message,
    problem,
    response,
)

from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.ports import Prompt
from medai.analysis.shapes import CallClassification
from medai.errors import MedaiError, ProviderAnswerError, ProviderRejectedError, SettingsError
from medai.integrations.openai.client import Strategy
from medai.ledger.models import EffectKind, Subject

PROMPT = Prompt("Правила", "Данные", "medai-1-classification")
SUBJECT = Subject(client_id="clinic-1", call_id="call-1")
GOOD = json.dumps({"explanation": "Впервые.", "call_type_id": 1})


def model(
    wire: Wire, strategy: Strategy = "responses", effects: MemoryEffects | None = None
) -> OpenAILanguageModel:
    entered = effects or MemoryEffects()
    return OpenAILanguageModel(client(wire, strategy), entered, max_output_tokens=1000)


async def test_a_good_answer_takes_one_request() -> None:
    wire = Wire([response(GOOD)])
    answer = await model(wire).answer(PROMPT, CallClassification, SUBJECT)
    assert answer.value.call_type_id == 1
    assert (answer.usage.requests, answer.usage.input_tokens) == (1, 100)
    assert (answer.usage.cached_tokens, answer.usage.output_tokens) == (30, 20)
    assert answer.model == "gpt-6-luna-2026"
    assert answer.raw["id"] == "resp_1"
    shape = wire.sent[0]["text"]["format"]
    assert shape["name"] == "CallClassification"
    assert shape["schema"] == CallClassification.model_json_schema()


BROKEN = [
    response("{"),
    response(""),
    response('{"explanation": "Да.", "call_type_id": 9}'),
    response('{"explanation": "Да.", "call_type_id": 1, "ещё": 2}'),
    response("Извините, не могу"),
    response("[" * 5000),
]


@pytest.mark.parametrize("broken", BROKEN)
async def test_an_unusable_answer_is_asked_for_once_more(broken: httpx2.Response) -> None:
    wire = Wire([broken, response(GOOD)])
    answer = await model(wire).answer(PROMPT, CallClassification, SUBJECT)
    assert answer.value.call_type_id == 1
    assert wire.sent[0] == wire.sent[1]
    assert (answer.usage.requests, answer.usage.input_tokens) == (2, 200)


@pytest.mark.parametrize("broken", BROKEN)
async def test_two_unusable_answers_are_enough(broken: httpx2.Response) -> None:
    wire = Wire([broken])
    with pytest.raises(ProviderAnswerError, match="не соответствует форме"):
        await model(wire).answer(PROMPT, CallClassification, SUBJECT)
    assert len(wire.sent) == 2


async def test_a_cut_answer_gets_more_room() -> None:
    wire = Wire([cut(GOOD), response(GOOD)])
    answer = await model(wire).answer(PROMPT, CallClassification, SUBJECT)
    assert [each["max_output_tokens"] for each in wire.sent] == [1000, 4000]
    assert answer.usage.requests == 2


async def test_cut_twice_is_the_end() -> None:
    wire = Wire([cut()])
    with pytest.raises(ProviderAnswerError, match="обрывается"):
        await model(wire).answer(PROMPT, CallClassification, SUBJECT)
    assert len(wire.sent) == 2


async def test_chat_servers_may_wrap_their_json() -> None:
    wire = Wire([completion(f"```json\n{GOOD}\n```\n")])
    answer = await model(wire, "chat_json_schema").answer(PROMPT, CallClassification, SUBJECT)
    assert (answer.value.call_type_id, answer.usage.requests) == (1, 1)


async def test_an_html_page_is_not_asked_for_again() -> None:
    wire = Wire([httpx2.Response(200, text="<html></html>")])
    with pytest.raises(ProviderAnswerError):
        await model(wire).answer(PROMPT, CallClassification, SUBJECT)
    assert len(wire.sent) == 1


async def test_every_try_is_an_effect_with_its_own_tokens() -> None:
    effects = MemoryEffects()
    await model(Wire([cut(), response(GOOD)]), effects=effects).answer(
        PROMPT, CallClassification, SUBJECT
    )
    assert effects.states == ["done", "done"]
    for intent in effects.intents.values():
        assert (intent.kind, intent.subject) == (EffectKind.LANGUAGE_MODEL, SUBJECT)
        assert (intent.provider, intent.model) == ("openai", "gpt-6-luna")
    for outcome in effects.outcomes.values():
        assert outcome.used is not None
        assert (outcome.used.input_tokens, outcome.used.cached_tokens) == (100, 30)
        assert (outcome.used.output_tokens, outcome.provider_ref) == (20, "req_1")


REFUSED = response(output=[message({"type": "refusal", "refusal": "нет"})])


@pytest.mark.parametrize(
    ("answer", "states"),
    [
        (cut(), ["done", "done"]),
        (REFUSED, ["done"]),
        (httpx2.Response(200, text="<html></html>"), ["unknown"]),
        (httpx2.ReadTimeout("slow"), ["unknown"]),
        (httpx2.RemoteProtocolError("reset"), ["unknown"]),
        (problem(504), ["unknown"]),
        (httpx2.ConnectError("refused"), ["failed"]),
        (problem(429), ["failed"]),
        (problem(500), ["failed"]),
        (problem(400), ["failed"]),
        (problem(429, "insufficient_quota"), ["failed"]),
    ],
)
async def test_what_fails_is_entered_as_what_it_may_cost(
    answer: httpx2.Response | Exception, states: list[str]
) -> None:
    effects = MemoryEffects()
    with pytest.raises(MedaiError):
        await model(Wire([answer]), effects=effects).answer(PROMPT, CallClassification, SUBJECT)
    assert effects.states == states


async def test_a_refusal_is_billed_and_not_asked_for_again() -> None:
    wire, effects = Wire([REFUSED]), MemoryEffects()
    with pytest.raises(ProviderRejectedError):
        await model(wire, effects=effects).answer(PROMPT, CallClassification, SUBJECT)
    (outcome,) = effects.outcomes.values()
    assert outcome.used is not None
    assert (len(wire.sent), outcome.used.input_tokens) == (1, 100)


async def test_without_a_key_the_entry_says_that_nothing_was_sent() -> None:
    effects = MemoryEffects()
    adapter = OpenAILanguageModel(client(Wire([response(GOOD)]), api_key=""), effects)
    with pytest.raises(SettingsError):
        await adapter.answer(PROMPT, CallClassification, SUBJECT)
    assert effects.states == ["failed"]


async def test_a_request_that_is_cancelled_in_flight_stays_requested_until_its_lease_ends() -> None:
    class Cancelled(Wire):
        def __call__(self, request: httpx2.Request) -> httpx2.Response:
            raise asyncio.CancelledError

    effects = MemoryEffects()
    with pytest.raises(asyncio.CancelledError):
        await model(Cancelled([]), effects=effects).answer(PROMPT, CallClassification, SUBJECT)
    assert effects.states == ["requested"]
    (intent,) = effects.intents.values()
    assert intent.lease > timedelta(seconds=5)  # the client's timeout
