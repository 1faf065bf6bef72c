"""A thin client of ElevenLabs speech-to-text over the official SDK.

The SDK's own retries are off: they drop every form field (elevenlabs.md 1.1).
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import httpx
from elevenlabs import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.parse_error import ParsingError
from elevenlabs.core.request_options import RequestOptions
from pydantic import BaseModel, SecretStr, ValidationError

from medai.errors import AnswerLostError, SettingsError
from medai.infra import measures
from medai.integrations.elevenlabs import failures
from medai.integrations.elevenlabs.models import SttAnswer, SttRequest, SttResult, Subscription
from medai.kit.text import clean

_SUBSCRIPTION_SECONDS = 20
_GRACE_SECONDS = 5.0
"""The SDK's timeout counts silence; the whole request may last this much longer at most."""

_CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
}


class ElevenLabsClient:
    """One account. `base_url` is the host (and an optional path) without /v1."""

    def __init__(self, *, api_key: SecretStr, base_url: str, timeout_seconds: float) -> None:
        self._key = api_key.get_secret_value().strip()
        self._timeout = timeout_seconds
        # A kept connection that the other side has just closed looks like a lost, perhaps paid
        # answer; a fresh one costs nothing beside an upload.
        self._http = httpx.AsyncClient(
            timeout=timeout_seconds,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._sdk = AsyncElevenLabs(
            base_url=base_url.rstrip("/"), api_key=self._key, httpx_client=self._http
        )

    async def transcribe(self, audio: bytes, *, filename: str, request: SttRequest) -> SttResult:
        """Recognise one recording; costs money.

        Raises SettingsError without a key (nothing is sent), and the errors of
        `transcription.ports.SpeechToText`.
        """
        with measures.provider_request(failures.PROVIDER):
            result = await self._recognised(audio, filename, request)
        measures.speech_recognised(request.model_id, result.answer.audio_duration_secs or 0.0)
        return result

    async def subscription(self) -> Subscription:
        """The account's plan and usage; free of charge.

        Raises as `transcribe` does, but no AnswerLostError: nothing can have been paid.
        """
        try:
            async with self._exchange(_SUBSCRIPTION_SECONDS):
                response = await self._sdk.user.subscription.with_raw_response.get(
                    request_options=_options(_SUBSCRIPTION_SECONDS)
                )
        except AnswerLostError as error:
            raise failures.no_answer(error.status) from None
        try:
            return Subscription.model_validate(_body(response.data, None))
        except ValidationError:
            raise failures.unreadable() from None

    async def _recognised(self, audio: bytes, filename: str, request: SttRequest) -> SttResult:
        fields = {name: value for name, value in asdict(request).items() if value is not None}
        async with self._exchange(self._timeout):
            response = await self._sdk.speech_to_text.with_raw_response.convert(
                file=(filename, audio, _content_type(filename)),
                request_options=_options(self._timeout),
                **fields,
            )
        request_id = response.headers.get("request-id")
        raw = _body(response.data, request_id)
        return SttResult(
            answer=_validated(raw, request_id, channels=bool(request.use_multi_channel)),
            raw=raw,
            request_id=request_id,
            maximum_concurrent_requests=_count(response.headers.get("maximum-concurrent-requests")),
        )

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    @asynccontextmanager
    async def _exchange(self, seconds: float) -> AsyncIterator[None]:
        """One exchange with the provider: its failures leave as ours.

        Causes are dropped on purpose (`from None`): a logged traceback would print the SDK's
        error with headers and body.
        """
        if not self._key or not self._key.isascii():
            raise SettingsError("Ключ ElevenLabs не задан или испорчен: укажите EVENLABS")
        try:
            async with asyncio.timeout(seconds + _GRACE_SECONDS):
                yield
        except ApiError as error:
            raise failures.from_answer(error) from None
        except httpx.HTTPError as error:
            raise failures.from_network(error) from None
        except httpx.InvalidURL:
            raise SettingsError("ELEVENLABS_BASE_URL не читается: укажите адрес без /v1") from None
        except TimeoutError:
            raise failures.answer_lost() from None
        except (
            ParsingError,
            ValueError,
            RecursionError,
        ):  # bytes that are not UTF-8, absurd nesting
            raise failures.unreadable() from None


def _options(seconds: float) -> RequestOptions:
    return {"max_retries": 0, "timeout_in_seconds": max(1, round(seconds))}


def _body(data: Any, request_id: str | None) -> dict[str, Any]:
    """The answer as JSON-like data; the SDK gives None for a body that is no object."""
    if not isinstance(data, BaseModel):
        raise failures.unreadable(request_id)
    # No warnings: they would print the answer's unexpected values, that is, the patient's words.
    body: dict[str, Any] = _cleaned(data.model_dump(exclude_unset=True, warnings=False))
    return body


def _cleaned(value: Any) -> Any:
    """JSON-like data whose text can be stored and whose numbers are finite."""
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, str):
        return clean(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _validated(raw: dict[str, Any], request_id: str | None, *, channels: bool) -> SttAnswer:
    """The variant is chosen by what was asked for (elevenlabs.md 5); one channel comes single."""
    several = channels and "transcripts" in raw
    shaped = raw if several else {**raw, "transcripts": [raw]}
    try:
        answer = SttAnswer.model_validate(shaped)
    except ValidationError:
        raise failures.unreadable(request_id) from None
    if not answer.transcripts:
        raise failures.unreadable(request_id)
    return answer


def _content_type(filename: str) -> str:
    return _CONTENT_TYPES.get(filename.rpartition(".")[2].lower(), "application/octet-stream")


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
