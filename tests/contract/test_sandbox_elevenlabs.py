"""The ElevenLabs simulator, driven by the unmodified official SDK over HTTP."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from elevenlabs import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions
from elevenlabs.errors import NotFoundError, UnprocessableEntityError
from tests.fixtures.sandbox_dialogues import FIRST, SECOND, SmallSandbox, silence

ONCE = RequestOptions(max_retries=0, timeout_in_seconds=10)
KEY = "sandbox-elevenlabs-key"


@pytest.fixture
async def client(small_sandbox: SmallSandbox) -> AsyncIterator[AsyncElevenLabs]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield AsyncElevenLabs(
            base_url=f"{small_sandbox.url}/elevenlabs", api_key=KEY, httpx_client=http
        )


async def convert(client: AsyncElevenLabs, audio: bytes, **options: Any) -> Any:
    options = {"model_id": "scribe_v2", "request_options": ONCE, **options}
    return await client.speech_to_text.convert(file=("call.wav", audio, "audio/wav"), **options)


async def refusal(client: AsyncElevenLabs, audio: bytes, **options: Any) -> tuple[int, Any]:
    with pytest.raises(ApiError) as caught:
        await convert(client, audio, **options)
    return caught.value.status_code or 0, caught.value.body


async def test_mono_call_comes_back_word_for_word(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(
        client, small_sandbox.audio.files["first"], diarize=True, detect_speaker_roles=True
    )
    assert answer.text == " ".join(line.text for line in FIRST.lines)
    assert answer.audio_duration_secs == FIRST.seconds
    assert answer.words[0].speaker_id == "agent"
    assert {word.speaker_id for word in answer.words} == {"agent", "customer"}
    assert "".join(word.text for word in answer.words) == answer.text
    assert {word.type for word in answer.words} == {"word", "spacing"}


async def test_words_stay_in_their_lines_time_and_in_order(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(client, small_sandbox.audio.files["first"], diarize=True)
    spoken = [word for word in answer.words if word.type == "word"]
    for line in FIRST.lines:
        texts = [
            word.text
            for word in spoken
            if line.start_ms / 1000 <= word.start and word.end <= line.end_ms / 1000
        ]
        assert texts == line.text.split()
    borders = [moment for word in answer.words for moment in (word.start, word.end)]
    assert borders == sorted(borders)
    assert answer.words[0].speaker_id == "speaker_0"


async def test_without_diarization_nobody_is_named(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(client, small_sandbox.audio.files["first"])
    assert {word.speaker_id for word in answer.words} == {None}


async def test_stereo_channels_are_apart_and_paid_apart(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(client, small_sandbox.audio.files["second"], use_multi_channel=True)
    assert [part.channel_index for part in answer.transcripts] == [0, 1]
    assert answer.transcripts[1].text == SECOND.lines[1].text
    assert answer.transcripts[1].words[0].speaker_id == "speaker_1"
    bill = small_sandbox.control.bill()
    assert (bill["stt_audio_seconds"], bill["stt_billed_seconds"]) == (12.0, 24.0)


async def test_stereo_combined_is_one_transcript_in_time_order(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(
        client,
        small_sandbox.audio.files["second"],
        use_multi_channel=True,
        multichannel_output_style="combined",
    )
    assert answer.text == " ".join(line.text for line in SECOND.lines)
    assert {word.channel_index for word in answer.words} == {0, 1}


async def test_stereo_without_multi_channel_is_diarized_and_paid_once(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(client, small_sandbox.audio.files["second"], diarize=True)
    assert {word.speaker_id for word in answer.words} == {"speaker_0", "speaker_1"}
    assert small_sandbox.control.bill()["stt_billed_seconds"] == 12.0


async def test_mono_with_multi_channel_is_an_ordinary_answer(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(client, small_sandbox.audio.files["first"], use_multi_channel=True)
    assert answer.text.startswith("Добрый день")
    assert small_sandbox.control.bill()["stt_billed_seconds"] == 24.0


async def test_granularities(client: AsyncElevenLabs, small_sandbox: SmallSandbox) -> None:
    audio = small_sandbox.audio.files["first"]
    without = await convert(client, audio, timestamps_granularity="none")
    assert {(word.start, word.end) for word in without.words} == {(None, None)}
    letters = await convert(client, audio, timestamps_granularity="character")
    first = letters.words[0]
    assert "".join(letter.text for letter in first.characters) == first.text


async def test_unknown_audio_gets_one_honest_utterance(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    answer = await convert(client, silence(3.0, 1), diarize=True)
    assert "песочница не распознаёт речь" in answer.text
    assert answer.audio_duration_secs == pytest.approx(3.0)


async def test_what_is_no_audio_is_refused_unpaid(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    status, body = await refusal(client, b"<html>Sign in</html>")
    assert (status, body["detail"]["code"]) == (400, "invalid_audio")
    assert small_sandbox.control.bill()["stt_paid"] == 0


@pytest.mark.parametrize(
    "options",
    [
        {"detect_speaker_roles": True},
        {"detect_speaker_roles": True, "diarize": True, "use_multi_channel": True},
        {"diarize": True, "diarization_threshold": 0.3, "num_speakers": 2},
        {"entity_detection": "pii", "entity_redaction": "phi"},
        {
            "use_multi_channel": True,
            "multichannel_output_style": "combined",
            "timestamps_granularity": "none",
        },
        {"model_id": "scribe_v1"},
    ],
)
async def test_contradictions_are_refused(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox, options: dict[str, Any]
) -> None:
    status, body = await refusal(client, small_sandbox.audio.files["first"], **options)
    assert status == 400
    assert body["detail"]["type"] == "invalid_request_error"


async def test_the_sdk_retry_loses_the_form_like_in_life(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    small_sandbox.control.fail("elevenlabs", "rate_limit_json")
    with pytest.raises(UnprocessableEntityError) as caught:
        await convert(
            client, small_sandbox.audio.files["first"], request_options={"max_retries": 1}
        )
    assert caught.value.body["detail"][0]["loc"] == ["body", "model_id"]


async def test_stored_transcript_can_be_read_and_deleted(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    made = await convert(client, small_sandbox.audio.files["first"])
    stored = await client.speech_to_text.transcripts.get(made.transcription_id)
    assert stored.text == made.text
    await client.speech_to_text.transcripts.delete(made.transcription_id)
    with pytest.raises(NotFoundError):
        await client.speech_to_text.transcripts.get(made.transcription_id)


async def test_zero_retention_stores_nothing(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    made = await convert(client, small_sandbox.audio.files["first"], enable_logging=False)
    with pytest.raises(NotFoundError):
        await client.speech_to_text.transcripts.get(made.transcription_id)


async def test_headers_tell_request_and_capacity(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    raw = await client.speech_to_text.with_raw_response.convert(
        model_id="scribe_v2", file=("call.wav", small_sandbox.audio.files["first"])
    )
    assert raw.headers["maximum-concurrent-requests"] == "12"
    assert raw.headers["current-concurrent-requests"] == "0"
    assert raw.headers["request-id"]


async def test_key_and_subscription(client: AsyncElevenLabs, small_sandbox: SmallSandbox) -> None:
    assert (await client.user.subscription.get()).status == "active"
    async with httpx.AsyncClient(trust_env=False) as http:
        other = AsyncElevenLabs(
            base_url=f"{small_sandbox.url}/elevenlabs", api_key="wrong", httpx_client=http
        )
        status, body = await refusal(other, small_sandbox.audio.files["first"])
    assert (status, body["detail"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate_limit_json", 429, "rate_limit_exceeded"),
        ("concurrent_limit", 429, "concurrent_limit_exceeded"),
        ("server_error", 500, "internal_error"),
        ("bad_key", 401, "invalid_api_key"),
        ("payment_required", 402, "insufficient_credits"),
        ("quota", 401, "quota_exceeded"),
    ],
)
async def test_scripted_refusals_cost_nothing(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox, kind: str, status: int, code: str
) -> None:
    small_sandbox.control.fail("elevenlabs", kind)
    found, body = await refusal(client, small_sandbox.audio.files["first"])
    assert (found, body["detail"]["code"]) == (status, code)
    assert small_sandbox.control.bill()["stt_paid"] == 0
    await convert(client, small_sandbox.audio.files["first"])


async def test_a_dropped_answer_is_paid_and_stored(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    audio = small_sandbox.audio.files["first"]
    small_sandbox.control.fail("elevenlabs", "reset_after_commit")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await convert(client, audio)
    sha256 = hashlib.sha256(audio).hexdigest()
    assert small_sandbox.control.bill()["stt_paid_by_sha256"] == {sha256: 1}


async def test_a_silent_server_is_paid_too(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    small_sandbox.control.fail("elevenlabs", "timeout")
    options = RequestOptions(max_retries=0, timeout_in_seconds=1)
    with pytest.raises(httpx.ReadTimeout):
        await convert(client, small_sandbox.audio.files["first"], request_options=options)
    assert small_sandbox.control.bill()["stt_paid"] == 1


async def test_broken_json_is_paid_and_html_is_not(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    small_sandbox.control.fail("elevenlabs", "invalid_json")
    await refusal(client, small_sandbox.audio.files["first"])
    assert small_sandbox.control.bill()["stt_paid"] == 1
    small_sandbox.control.fail("elevenlabs", "gateway_html")
    status, body = await refusal(client, small_sandbox.audio.files["first"])
    assert (status, small_sandbox.control.bill()["stt_paid"]) == (502, 1)
    assert "<html>" in body


async def test_capacity_is_enforced_and_its_peak_is_known(
    client: AsyncElevenLabs, small_sandbox: SmallSandbox
) -> None:
    control, audio = small_sandbox.control, small_sandbox.audio.files["first"]
    control.post("/elevenlabs/capacity", limit=2, work_seconds=1.5)
    jobs = asyncio.gather(convert(client, audio), convert(client, audio))
    while not jobs.done():
        seen = await asyncio.to_thread(control.get, "/elevenlabs/capacity")
        if seen["used"] == 2:
            break
    status, body = await refusal(client, audio)
    assert (status, body["detail"]["status"]) == (429, "too_many_concurrent_requests")
    await jobs
    assert control.get("/elevenlabs/capacity")["peak"] == 2
    assert control.bill()["stt_paid"] == 2


async def test_slow_answers_are_whole(client: AsyncElevenLabs, small_sandbox: SmallSandbox) -> None:
    small_sandbox.control.fail("elevenlabs", "slow", seconds=0.3)
    started = asyncio.get_running_loop().time()
    answer = await convert(client, small_sandbox.audio.files["first"])
    assert asyncio.get_running_loop().time() - started >= 0.3
    assert answer.text
