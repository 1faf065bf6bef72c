"""Analysis over real HTTP with the official SDK: the sandbox's perfect judge, and its bad days."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from tests.fixtures.analysis import NOW, MemoryDocuments, call
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.sandbox import RunningSandbox

from medai.analysis.models import CallAnalysis, CallType
from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.repository import AnalysisRepository
from medai.analysis.scorecards import scorecard
from medai.analysis.service import AnalysisService
from medai.errors import (
    NoAnswerError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.integrations.openai.client import OpenAIClient, Strategy
from medai.integrations.openai.models import ModelOptions
from medai.sandbox.credentials import OPENAI_KEY
from medai.sandbox.world.models import Dialogue
from medai.transcription.models import Role, Transcript, Utterance

STRATEGIES: list[Strategy] = ["responses", "chat_json_schema"]
ROLES = {"administrator": Role.ADMINISTRATOR, "patient": Role.PATIENT}


def dialogues(sandbox: RunningSandbox) -> Iterator[Dialogue]:
    """Every different conversation of the world."""
    calls = (each for clinic in sandbox.world.clinics for each in clinic.calls)
    yield from {each.dialogue.id: each.dialogue for each in calls if each.dialogue}.values()


def heard(dialogue: Dialogue) -> Transcript:
    """The transcript of a recogniser without mistakes."""
    return Transcript(
        call_id=dialogue.id,
        client_id="clinic-1",
        recognition_id="recognition-1",
        utterances=tuple(
            Utterance(
                speaker=line.speaker,
                role=ROLES[line.speaker],
                start_ms=line.start_ms,
                end_ms=line.end_ms,
                text=line.text,
            )
            for line in dialogue.lines
        ),
        roles_confidence=1.0,
        roles_source="channels",
        language="ru",
        model="scribe_v2",
        seconds=dialogue.seconds,
        transcribed_at=NOW,
    )


class Desk:
    """The whole chain: service, adapter, SDK, HTTP, simulator."""

    def __init__(self, sandbox: RunningSandbox, strategy: Strategy, **changes: Any) -> None:
        self.sandbox = sandbox
        options = {
            "base_url": f"{sandbox.url}/openai/v1",
            "api_key": OPENAI_KEY,
            "model": "gpt-6-luna",
            "reasoning_effort": "none",
            "timeout_seconds": 10.0,
        }
        # Plain HTTP needs no certificate store, whose loading takes longer than most tests.
        http = httpx2.AsyncClient(verify=False, trust_env=False)
        self.client = OpenAIClient(ModelOptions(**{**options, **changes}), strategy, http=http)
        repository = AnalysisRepository(MemoryDocuments())
        model = OpenAILanguageModel(self.client, MemoryEffects())
        self.service = AnalysisService(model, repository, lambda: NOW)

    async def analyse(self, dialogue: Dialogue, *, converted: bool = False) -> CallAnalysis:
        return await self.service.analyse(
            call(id=dialogue.id, converted=converted),
            heard(dialogue),
            count_not_applicable_as_zero=False,
        )

    def first(self) -> Dialogue:
        return next(each for each in dialogues(self.sandbox) if each.call_type_id == 1)


@pytest.fixture(params=STRATEGIES)
async def desk(request: pytest.FixtureRequest, sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    made = Desk(sandbox, request.param)
    yield made
    await made.client.close()


async def test_every_conversation_is_judged_as_the_perfect_judge_does(desk: Desk) -> None:
    seen = set()
    for dialogue in dialogues(desk.sandbox):
        analysis = await desk.analyse(dialogue, converted=True)
        card = scorecard(CallType(dialogue.call_type_id))
        expected = {
            key: 10 if key == "patient_booking" else dialogue.scores[key] for key in card.keys
        }
        assert analysis.call_type == dialogue.call_type_id
        assert desk.service.summary(analysis).scores == expected
        assert not analysis.needs_review
        assert analysis.usage.requests == (1 if dialogue.call_type_id == 5 else 2)
        if dialogue.call_type_id != 5:
            assert analysis.recommendations == dialogue.recommendations
        seen.add(dialogue.call_type_id)
    assert seen == {1, 2, 3, 4, 5}


async def test_proof_points_at_the_line_that_proves(desk: Desk) -> None:
    dialogue = desk.first()
    analysis = await desk.analyse(dialogue)
    proven = [each for each in analysis.criteria if each.evidence]
    assert proven
    for each in proven:
        line = dialogue.lines[dialogue.proof[each.key]]
        for proof in each.evidence:
            assert proof.quote in line.text
            assert proof.role is Role.ADMINISTRATOR
            assert line.start_ms <= proof.start_ms < proof.end_ms <= line.end_ms


async def test_the_rubric_is_read_from_the_providers_cache_the_second_time(desk: Desk) -> None:
    first = await desk.analyse(desk.first())
    second = await desk.analyse(desk.first())
    assert first.usage.cached_tokens == 0
    assert second.usage.cached_tokens > 1000


async def test_the_administrator_is_found_among_those_on_shift(desk: Desk) -> None:
    dialogue = next(each for each in dialogues(desk.sandbox) if each.introduced_as)
    name = str(dialogue.introduced_as)
    guess = await desk.service.choose_administrator(
        heard(dialogue), [("Феврония", "Тестова"), (name, "Пробная")]
    )
    assert guess is not None
    assert (guess.first_name, guess.last_name) == (name, "Пробная")
    assert guess.confidence > 0.3


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refusal", ProviderRejectedError),
        ("rate_limit_json", ProviderRateLimitedError),
        ("rate_limit_plain", ProviderRateLimitedError),
        ("rate_limit_html", ProviderRateLimitedError),
        ("quota", ProviderStoppedError),
        ("bad_key", ProviderStoppedError),
        ("unsupported_region", ProviderStoppedError),
        ("forbidden_html", ProviderStoppedError),
        ("server_error", ProviderUnavailableError),
        ("gateway_html", ProviderUnavailableError),
        ("failed", ProviderUnavailableError),
        ("reset", NoAnswerError),
        ("reset_after_commit", NoAnswerError),
        ("html_ok", ProviderAnswerError),
    ],
)
async def test_one_failure_ends_the_attempt_and_stores_nothing(
    desk: Desk, kind: str, error: type[ProviderError]
) -> None:
    dialogue = desk.first()
    desk.sandbox.control.fail("openai", kind)
    with pytest.raises(error) as caught:
        await desk.analyse(dialogue)
    assert type(caught.value) is error
    assert await desk.service.stored(dialogue.id) is None
    assert (await desk.analyse(dialogue)).usage.requests == 2


@pytest.mark.parametrize("kind", ["incomplete", "incomplete_empty", "invalid_json"])
@pytest.mark.parametrize("spoiled", [1, 2])
async def test_an_unusable_answer_costs_one_more_request(
    desk: Desk, kind: str, spoiled: int
) -> None:
    desk.sandbox.control.fail("openai", kind, times=spoiled)
    if spoiled == 1:
        assert (await desk.analyse(desk.first())).usage.requests == 3
    else:
        with pytest.raises(ProviderAnswerError):
            await desk.analyse(desk.first())
    assert not any(desk.sandbox.control.pending_faults().values())


async def test_scores_outside_the_scale_are_never_stored(desk: Desk) -> None:
    desk.sandbox.control.fail("openai", "schema_violation", times=0)
    with pytest.raises(ProviderAnswerError):
        await desk.analyse(desk.first())


async def test_quotes_that_nobody_said_are_asked_for_again_then_reviewed(desk: Desk) -> None:
    dialogue = desk.first()
    desk.sandbox.control.fail("openai", "wrong_evidence", times=2)  # classification and scoring
    repaired = await desk.analyse(dialogue)
    assert not repaired.needs_review
    assert repaired.usage.requests == 3

    desk.sandbox.control.fail("openai", "wrong_evidence", times=0)
    analysis = await desk.analyse(dialogue)
    assert analysis.usage.requests == 3
    positive = {key for key, score in dialogue.scores.items() if score}
    assert {each.key for each in analysis.criteria if each.needs_review} == positive
    assert not any(each.evidence for each in analysis.criteria)
    assert analysis.needs_review


async def test_a_silent_server_is_unavailable(sandbox: RunningSandbox) -> None:
    desk = Desk(sandbox, "responses", timeout_seconds=0.3)
    sandbox.control.fail("openai", "slow", seconds=1.0)
    with pytest.raises(ProviderUnavailableError):
        await desk.analyse(desk.first())
    await desk.client.close()


async def test_no_server_is_unavailable(sandbox: RunningSandbox) -> None:
    desk = Desk(sandbox, "responses", base_url="http://127.0.0.1:9/openai/v1")
    with pytest.raises(ProviderUnavailableError):
        await desk.analyse(desk.first())
    await desk.client.close()


async def test_a_wrong_key_stops(sandbox: RunningSandbox) -> None:
    desk = Desk(sandbox, "responses", api_key="sk-wrong")
    with pytest.raises(ProviderStoppedError):
        await desk.analyse(desk.first())
    await desk.client.close()


async def test_an_unknown_model_stops(sandbox: RunningSandbox) -> None:
    desk = Desk(sandbox, "responses", model="no-such-model")
    with pytest.raises(ProviderStoppedError):
        await desk.analyse(desk.first())
    await desk.client.close()
