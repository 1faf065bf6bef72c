"""The adapter's second try: when it happens, how often, and what it costs."""

import json

import httpx2
import pytest
from tests.fixtures.openai_transport import Wire, client, completion, cut, response

from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.ports import Prompt
from medai.analysis.shapes import CallClassification
from medai.errors import ProviderAnswerError
from medai.integrations.openai.client import Strategy

PROMPT = Prompt("Правила", "Данные", "medai-1-classification")
GOOD = json.dumps({"explanation": "Впервые.", "call_type_id": 1})


def model(wire: Wire, strategy: Strategy = "responses") -> OpenAILanguageModel:
    return OpenAILanguageModel(client(wire, strategy), max_output_tokens=1000)


async def test_a_good_answer_takes_one_request() -> None:
    wire = Wire([response(GOOD)])
    answer = await model(wire).answer(PROMPT, CallClassification)
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
    answer = await model(wire).answer(PROMPT, CallClassification)
    assert answer.value.call_type_id == 1
    assert wire.sent[0] == wire.sent[1]
    assert (answer.usage.requests, answer.usage.input_tokens) == (2, 200)


@pytest.mark.parametrize("broken", BROKEN)
async def test_two_unusable_answers_are_enough(broken: httpx2.Response) -> None:
    wire = Wire([broken])
    with pytest.raises(ProviderAnswerError, match="не соответствует форме"):
        await model(wire).answer(PROMPT, CallClassification)
    assert len(wire.sent) == 2


async def test_a_cut_answer_gets_more_room() -> None:
    wire = Wire([cut(GOOD), response(GOOD)])
    answer = await model(wire).answer(PROMPT, CallClassification)
    assert [each["max_output_tokens"] for each in wire.sent] == [1000, 4000]
    assert answer.usage.requests == 2


async def test_cut_twice_is_the_end() -> None:
    wire = Wire([cut()])
    with pytest.raises(ProviderAnswerError, match="обрывается"):
        await model(wire).answer(PROMPT, CallClassification)
    assert len(wire.sent) == 2


async def test_chat_servers_may_wrap_their_json() -> None:
    wire = Wire([completion(f"```json\n{GOOD}\n```\n")])
    answer = await model(wire, "chat_json_schema").answer(PROMPT, CallClassification)
    assert (answer.value.call_type_id, answer.usage.requests) == (1, 1)


async def test_an_html_page_is_not_asked_for_again() -> None:
    wire = Wire([httpx2.Response(200, text="<html></html>")])
    with pytest.raises(ProviderAnswerError):
        await model(wire).answer(PROMPT, CallClassification)
    assert len(wire.sent) == 1
