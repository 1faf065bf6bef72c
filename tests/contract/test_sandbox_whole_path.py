"""From recorded bytes to scores through the product's own adapters: nothing gets lost between
the simulators of speech and language."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from pydantic import SecretStr
from tests.fixtures.analysis import NOW, MemoryDocuments, call
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.sandbox import RunningSandbox

from medai.analysis.openai import OpenAILanguageModel
from medai.analysis.repository import AnalysisRepository
from medai.analysis.scorecards import scorecard
from medai.analysis.service import AnalysisService
from medai.calls.models import Direction
from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.openai.client import OpenAIClient
from medai.integrations.openai.models import ModelOptions
from medai.sandbox.credentials import ELEVENLABS_KEY, OPENAI_KEY
from medai.sandbox.world.models import Dialogue, SimCall
from medai.transcription.elevenlabs import ElevenLabsSpeechToText
from medai.transcription.models import Transcript
from medai.transcription.speakers import assign_roles, with_roles
from medai.transcription.utterances import turns


@dataclass(frozen=True, slots=True)
class Path:
    sandbox: RunningSandbox
    speech: ElevenLabsSpeechToText
    analysis: AnalysisService

    async def heard(self, made: SimCall, dialogue: Dialogue) -> Transcript:
        """Download, recognise, cut, give roles."""
        async with httpx2.AsyncClient(verify=False, trust_env=False) as http:
            file = await http.get(f"{self.sandbox.url}/recordings/{made.recording}")
        result = await self.speech.recognise(
            file.content, filename="call.wav", channels=dialogue.channels
        )
        spoken = turns(result.words)
        roles = assign_roles(spoken, Direction(made.direction))
        return Transcript(
            call_id=dialogue.id,
            client_id="clinic-1",
            recognition_id="recognition-1",
            utterances=with_roles(spoken, roles),
            roles_confidence=roles.confidence,
            roles_source=roles.source,
            language=result.language,
            model=result.model,
            seconds=dialogue.seconds,
            transcribed_at=NOW,
        )


@pytest.fixture
async def path(sandbox: RunningSandbox) -> AsyncIterator[Path]:
    speech = ElevenLabsClient(
        api_key=SecretStr(ELEVENLABS_KEY),
        base_url=f"{sandbox.url}/elevenlabs",
        timeout_seconds=10,
    )
    options = ModelOptions(
        base_url=f"{sandbox.url}/openai/v1",
        api_key=OPENAI_KEY,
        model="gpt-6-luna",
        reasoning_effort="none",
        timeout_seconds=10.0,
    )
    http = httpx2.AsyncClient(verify=False, trust_env=False)
    language = OpenAIClient(options, "responses", http=http)
    service = AnalysisService(
        OpenAILanguageModel(language, MemoryEffects()),
        AnalysisRepository(MemoryDocuments()),
        lambda: NOW,
    )
    recogniser = ElevenLabsSpeechToText(speech, model="scribe_v2", language="ru")
    yield Path(sandbox, recogniser, service)
    await speech.aclose()
    await language.close()


async def test_every_recording_is_heard_and_judged_as_it_was_written(path: Path) -> None:
    calls = [each for clinic in path.sandbox.world.clinics for each in clinic.calls]
    recorded = {each.dialogue.id: each for each in calls if each.dialogue and each.recording}
    assert len(recorded) > 40
    for made in recorded.values():
        assert made.dialogue is not None
        transcript = await path.heard(made, made.dialogue)
        said = " ".join(each.text for each in transcript.utterances).split()
        assert sorted(said) == sorted(" ".join(one.text for one in made.dialogue.lines).split())
        result = await path.analysis.analyse(
            call(id=made.dialogue.id, converted=True),
            transcript,
            count_not_applicable_as_zero=False,
        )
        scores = {each.key: each.score for each in result.criteria if each.decided_by == "model"}
        assert result.call_type == made.dialogue.call_type_id
        card = scorecard(result.call_type)
        assert scores == {key: made.dialogue.scores[key] for key in card.asked_keys}
        # A call may want review for roles that phrases could only guess, but not for its proof.
        assert not [each.key for each in result.criteria if each.needs_review], made.dialogue.id
    bill = path.sandbox.control.bill()
    assert bill["stt_paid"] == len(recorded)
    assert set(bill["stt_paid_by_sha256"].values()) == {1}
