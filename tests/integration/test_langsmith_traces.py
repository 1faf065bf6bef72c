"""Traces reach a receiver on loopback without a word of question or answer, and disturb nobody."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import httpx2
import pytest
from tests.fixtures import openai_transport as wire

from medai.errors import ProviderError
from medai.infra import measures
from medai.integrations.langsmith.traces import LangSmithTraces
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.openai.models import StructuredRequest

QUESTION = "Алло, меня зовут Мария, телефон +7 900 000-00-01"
ANSWER = '{"summary": "Пациентка Мария записана"}'
PROMPT = "Оцени звонок администратора"
KEY = "lsv2_invented_key"


@dataclass
class Receiver:
    """What arrived: bodies as text, and the headers' keys."""

    url: str = ""
    status: int = 202
    seconds: float = 0.0
    bodies: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.bodies.append(f"{self.path} {body.decode(errors='replace')}")
            if found.seconds:
                found.released.wait(found.seconds)
            self.send_response(found.status)
            self.end_headers()

        do_PATCH = do_POST  # noqa: N815 - the base class names it

        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    found.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def traced(traces: LangSmithTraces, *answers: httpx2.Response) -> OpenAIClient:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(wire.Wire(answers)))
    return OpenAIClient(wire.options(), trace=traces.record, http=http)


REQUEST = StructuredRequest(
    instructions=PROMPT, data=QUESTION, schema_name="Summary",
    schema={"type": "object", "properties": {}}, cache_key="k", max_output_tokens=100,
)  # fmt: skip


def dropped() -> float:
    return measures.REGISTRY.get_sample_value("medai_traces_dropped_total") or 0.0


async def test_no_text_leaves(receiver: Receiver) -> None:
    traces = LangSmithTraces(api_key=KEY, base_url=receiver.url, project="medai")
    client = traced(traces, wire.response(ANSWER), wire.problem(401, "invalid_api_key"))
    await client.ask(REQUEST)
    with pytest.raises(ProviderError):
        await client.ask(REQUEST)
    await client.close()
    await asyncio.to_thread(traces.close)

    assert len(receiver.bodies) == 2
    text = "".join(receiver.bodies) + json.dumps("".join(receiver.bodies))
    for secret in ("Мария", "Алло", "900 000", "записана", "Оцени", KEY, "sk-invented",
                   r"\u041c\u0430\u0440\u0438\u044f"):  # fmt: skip
        assert secret not in text
    assert '"input_tokens":100' in receiver.bodies[0].replace(" ", "")
    assert "gpt-6-luna" in receiver.bodies[0]
    assert "provider_stopped" in receiver.bodies[1]


async def test_a_receiver_that_hangs_delays_nobody(receiver: Receiver) -> None:
    receiver.seconds = 30.0
    before = dropped()
    traces = LangSmithTraces(api_key=KEY, base_url=receiver.url, project="medai", queued_at_most=2)
    client = traced(traces, wire.response(ANSWER))
    started = monotonic()
    for _ in range(6):
        await client.ask(REQUEST)
    assert monotonic() - started < 3.0
    assert dropped() - before >= 3
    await client.close()
    started = monotonic()
    await asyncio.to_thread(traces.close)
    assert monotonic() - started < 5.0


@pytest.mark.parametrize("status", [401, 500])
async def test_a_receiver_that_refuses_fails_nothing(receiver: Receiver, status: int) -> None:
    receiver.status = status
    before = dropped()
    traces = LangSmithTraces(api_key=KEY, base_url=receiver.url, project="medai")
    client = traced(traces, wire.response(ANSWER))
    assert (await client.ask(REQUEST)).text == ANSWER
    await client.close()
    await asyncio.to_thread(traces.close)
    assert dropped() - before == 1
