"""Our ElevenLabs client and adapter against the simulator over HTTP."""

import json
import logging
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fixtures.raw_http import raw_server, reply
from tests.fixtures.sandbox_dialogues import FIRST, SECOND, SmallSandbox
from tests.fixtures.stores import free_port

from medai.errors import (
    AnswerLostError,
    MedaiError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
    SettingsError,
)
from medai.integrations.elevenlabs.client import ElevenLabsClient
from medai.transcription.elevenlabs import ElevenLabsSpeechToText
from medai.transcription.models import Recognition

KEY = "sandbox-elevenlabs-key"


def client_of(url: str, *, key: str = KEY, timeout: float = 10) -> ElevenLabsClient:
    return ElevenLabsClient(api_key=SecretStr(key), base_url=url, timeout_seconds=timeout)


def adapter(client: ElevenLabsClient, model: str = "scribe_v2") -> ElevenLabsSpeechToText:
    return ElevenLabsSpeechToText(client, model=model, language="ru")


@pytest.fixture
async def client(small_sandbox: SmallSandbox) -> AsyncIterator[ElevenLabsClient]:
    opened = client_of(f"{small_sandbox.url}/elevenlabs")
    yield opened
    await opened.aclose()


async def recognised(client: ElevenLabsClient, audio: bytes, *, channels: int = 1) -> Recognition:
    return await adapter(client).recognise(audio, filename="recording.wav", channels=channels)


async def test_a_mono_call_comes_with_the_providers_roles(
    client: ElevenLabsClient, small_sandbox: SmallSandbox
) -> None:
    found = await recognised(client, small_sandbox.audio.files["first"])
    assert " ".join(word.text for word in found.words) == " ".join(
        line.text for line in FIRST.lines
    )
    assert {word.speaker for word in found.words} == {"agent", "customer"}
    assert all(one.start_ms <= two.start_ms for one, two in pairwise(found.words))
    assert (found.language, found.seconds) == ("ru", FIRST.seconds)
    assert found.raw["language_code"] == "rus"


async def test_a_stereo_call_is_recognised_channel_by_channel(
    client: ElevenLabsClient, small_sandbox: SmallSandbox
) -> None:
    found = await recognised(client, small_sandbox.audio.files["second"], channels=2)
    for channel, speaker in (("channel_0", "administrator"), ("channel_1", "patient")):
        said = " ".join(word.text for word in found.words if word.speaker == channel)
        assert said == " ".join(one.text for one in SECOND.lines if one.speaker == speaker)
    assert all(one.start_ms <= two.start_ms for one, two in pairwise(found.words))
    assert small_sandbox.control.bill()["stt_billed_seconds"] == SECOND.seconds * 2


async def test_doubled_mono_asked_for_as_mono_is_billed_once(
    client: ElevenLabsClient, small_sandbox: SmallSandbox
) -> None:
    await recognised(client, small_sandbox.audio.files["second"], channels=1)
    assert small_sandbox.control.bill()["stt_billed_seconds"] == SECOND.seconds


def test_the_fingerprint_names_what_changes_the_answer(client: ElevenLabsClient) -> None:
    prints = {
        adapter(client, model).fingerprint(channels=channels)
        for model in ("scribe_v2", "scribe_v3")
        for channels in (1, 2)
    }
    assert len(prints) == 4


FAULTS: list[tuple[str, int | None, type[ProviderError], int]] = [
    ("rate_limit_json", None, ProviderRateLimitedError, 0),
    ("concurrent_limit", None, ProviderRateLimitedError, 0),
    ("rate_limit_html", None, ProviderRateLimitedError, 0),
    ("server_error", None, ProviderUnavailableError, 0),
    ("server_error", 503, ProviderUnavailableError, 0),
    ("gateway_html", None, ProviderUnavailableError, 0),
    ("gateway_html", 504, AnswerLostError, 0),
    ("bad_key", None, ProviderStoppedError, 0),
    ("quota", None, ProviderStoppedError, 0),
    ("payment_required", None, ProviderStoppedError, 0),
    ("forbidden_html", None, ProviderStoppedError, 0),
    ("unsupported_region", None, ProviderStoppedError, 0),
    ("not_found", None, ProviderStoppedError, 0),
    ("html_ok", None, ProviderAnswerError, 0),
    ("invalid_json", None, ProviderAnswerError, 1),
    ("reset", None, AnswerLostError, 0),
    ("reset_after_commit", None, AnswerLostError, 1),
]


@pytest.mark.parametrize(
    ("kind", "status", "expected", "paid"), FAULTS, ids=[f"{k}-{s}" for k, s, _, _ in FAULTS]
)
async def test_every_failure_has_its_meaning_and_is_asked_once(
    client: ElevenLabsClient,
    small_sandbox: SmallSandbox,
    kind: str,
    status: int | None,
    expected: type[ProviderError],
    paid: int,
) -> None:
    small_sandbox.control.fail("elevenlabs", kind, times=2, status=status)
    with pytest.raises(ProviderError) as caught:
        await recognised(client, small_sandbox.audio.files["first"])
    assert type(caught.value) is expected
    assert small_sandbox.control.pending_faults()["elevenlabs"][0]["times"] == 1
    assert small_sandbox.control.bill()["stt_paid"] == paid
    assert caught.value.__cause__ is None  # the SDK's error would print key and body


async def test_an_answer_that_never_comes_is_lost_and_may_be_paid(
    small_sandbox: SmallSandbox,
) -> None:
    small_sandbox.control.fail("elevenlabs", "timeout")
    impatient = client_of(f"{small_sandbox.url}/elevenlabs", timeout=1)
    with pytest.raises(AnswerLostError):
        await recognised(impatient, small_sandbox.audio.files["first"])
    await impatient.aclose()
    assert small_sandbox.control.bill()["stt_paid"] == 1


async def test_without_a_key_nothing_is_sent(small_sandbox: SmallSandbox) -> None:
    small_sandbox.control.fail("elevenlabs", "server_error")
    keyless = client_of(f"{small_sandbox.url}/elevenlabs", key="")
    with pytest.raises(SettingsError):
        await recognised(keyless, b"x")
    with pytest.raises(SettingsError):
        await keyless.subscription()
    await keyless.aclose()
    assert small_sandbox.control.pending_faults()["elevenlabs"]


async def test_nobody_listening_means_nothing_was_done() -> None:
    lonely = client_of(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ProviderUnavailableError):
        await recognised(lonely, b"x")
    await lonely.aclose()


async def test_the_subscription_is_read(client: ElevenLabsClient) -> None:
    plan = await client.subscription()
    assert plan.tier
    assert plan.character_limit >= plan.character_count


async def answered(body: bytes, **answer: Any) -> Recognition:
    async with raw_server(reply(body, kind="application/json", **answer)) as server:
        client = client_of(server.url)
        try:
            return await recognised(client, b"sound")
        finally:
            await client.aclose()


def words(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"language_code": "ru", "text": "", "words": list(entries)}).encode()


UNREADABLE = [
    b"", b"[]", b"null", b'"text"', b"{}", b"\xff\xfe{}", b'{"words": 5}',
    b'{"words": [{"start": 1}]}', b'{"text": "no words"}', b'{"request_id": "r"}',
    b'{"transcripts": []}', b"[" * 200_000,
]  # fmt: skip


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:20]))
async def test_an_unreadable_answer_is_named_so(body: bytes) -> None:
    with pytest.raises(ProviderAnswerError):
        await answered(body)


async def test_absurd_times_do_not_throw_a_paid_answer_away() -> None:
    found = await answered(
        words(
            {"text": "раз", "start": 1.0, "end": 1.5, "type": "word", "speaker_id": "agent"},
            {"text": " ", "start": 1.5, "end": 2.0, "type": "spacing"},
            {"text": "два", "start": None, "end": None, "type": "word", "speaker_id": None},
            {"text": "три", "start": 1e300, "end": -5, "type": "word", "speaker_id": "customer"},
            {"text": "(смех)", "start": 3, "end": 4, "type": "audio_event"},
            {"text": "че\u0000ты\u202eре", "start": 0.2, "end": 0.1, "type": "word"},
        )
    )
    assert [(word.text, word.start_ms, word.end_ms, word.speaker) for word in found.words] == [
        ("раз", 1000, 1500, "agent"),
        ("два", 1000, 1000, "agent"),
        ("три", 1000, 1000, "customer"),
        ("че\N{REPLACEMENT CHARACTER}тыре", 1000, 1000, "customer"),
    ]


async def test_not_a_number_and_lone_surrogates_can_be_stored() -> None:
    body = b'{"words": [{"text": "\\ud800a", "start": NaN, "logprob": NaN}], "language_code": "ru"}'
    found = await answered(body)
    assert Recognition.model_validate_json(found.model_dump_json()) == found


async def test_the_providers_wait_is_passed_on() -> None:
    with pytest.raises(ProviderRateLimitedError) as caught:
        await answered(b"{}", status="429 Too Many", extra="Retry-After: 7\r\nrequest-id: r1\r\n")
    assert (caught.value.retry_after, caught.value.request_id) == (7.0, "r1")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("400 Bad", ProviderRejectedError),
        ("422 Bad", ProviderRejectedError),
        ("302 Found", ProviderRejectedError),
        ("408 Late", ProviderUnavailableError),
        ("425 Early", ProviderUnavailableError),
    ],
)
async def test_rarer_statuses(status: str, expected: type[MedaiError]) -> None:
    with pytest.raises(expected):
        await answered(b'{"detail": [{"msg": "x"}]}', status=status, extra="Location: /x\r\n")


async def test_neither_key_nor_body_reaches_errors_or_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    body = b'{"detail": {"code": "invalid_parameters", "message": "secret words of a patient"}}'
    with pytest.raises(ProviderRejectedError) as caught:
        await answered(body, status="400 Bad")
    assert "invalid_parameters" in caught.value.message
    for text in (caught.value.message, caplog.text):
        assert "secret words" not in text
        assert KEY not in text
