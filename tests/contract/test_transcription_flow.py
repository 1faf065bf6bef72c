"""From a recording link to a transcript with the right roles, over HTTP, against the truth."""

from collections.abc import AsyncIterator
from itertools import chain

import pytest
from pydantic import SecretStr
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.transcription import MemoryFiles, SettableClock, make_call

from medai.calls.models import Call, Direction
from medai.infra.documents import Documents
from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.integrations.recordings.fetch import RecordingFetcher
from medai.integrations.recordings.options import FetchOptions
from medai.integrations.recordings.probe import probe_async
from medai.sandbox.world.models import SimCall
from medai.transcription.elevenlabs import ElevenLabsSpeechToText
from medai.transcription.models import Role, Transcript
from medai.transcription.repository import COLLECTIONS
from medai.transcription.service import TranscriptionService


def recorded(sandbox: RunningSandbox, channels: int, count: int) -> list[SimCall]:
    calls = chain.from_iterable(clinic.calls for clinic in sandbox.world.clinics)
    found = [
        one for one in calls
        if one.recording and one.dialogue and one.dialogue.channels == channels
    ]  # fmt: skip
    return found[:count]


def spoken_by(transcript: Transcript, role: Role) -> str:
    return " ".join(one.text for one in transcript.utterances if one.role is role)


@pytest.fixture
async def service(
    documents: Documents, sandbox: RunningSandbox
) -> AsyncIterator[TranscriptionService]:
    await documents.prepare(COLLECTIONS)
    client = ElevenLabsClient(
        api_key=SecretStr(sandbox.control.keys()["elevenlabs"]),
        base_url=f"{sandbox.url}/elevenlabs",
        timeout_seconds=20,
    )
    yield TranscriptionService(
        documents,
        MemoryFiles(),
        ElevenLabsSpeechToText(client, model="scribe_v2", language="ru"),
        MemoryEffects(),
        SettableClock(),
        repeats_after_lost_answer=1,
    )
    await client.aclose()


@pytest.mark.parametrize("channels", [1, 2])
async def test_every_word_is_given_to_whoever_said_it(
    service: TranscriptionService, sandbox: RunningSandbox, channels: int
) -> None:
    host = sandbox.url.removeprefix("http://")
    fetcher = RecordingFetcher(FetchOptions(allow_hosts=(host,)))
    calls = recorded(sandbox, channels, 4)
    assert calls
    for sim in calls:
        got = await fetcher.fetch(f"{sandbox.url}/recordings/{sim.recording}")
        facts = await probe_async(got.data)
        call: Call = make_call(sim.note_id, direction=Direction(sim.direction))
        made = await service.transcribe(call, got.data, facts)
        again = await service.transcribe(call, got.data, facts)
        assert made == again == await service.get(call.id)
        assert sim.dialogue is not None
        for role in (Role.ADMINISTRATOR, Role.PATIENT):
            said = " ".join(one.text for one in sim.dialogue.lines if one.speaker == role.value)
            assert spoken_by(made, role) == said
        assert made.seconds == pytest.approx(sim.dialogue.seconds, abs=0.1)
    await fetcher.aclose()
    bill = sandbox.control.bill()
    assert bill["stt_paid"] == len(calls)
    assert set(bill["stt_paid_by_sha256"].values()) == {1}
