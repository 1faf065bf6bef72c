"""ElevenLabs failures as ours (elevenlabs.md 8). The SDK's error texts are never repeated: they
hold headers and bodies, and so the key and the patient's words."""

import re
from http import HTTPStatus
from typing import Any

import httpx
from elevenlabs.core.api_error import ApiError

from medai.errors import (
    AnswerLostError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)

PROVIDER = "elevenlabs"
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_STOPPED = {
    HTTPStatus.UNAUTHORIZED: "ElevenLabs не принял ключ: проверьте EVENLABS",
    HTTPStatus.PAYMENT_REQUIRED: "Средства или лимит ElevenLabs исчерпаны: пополните счёт",
    HTTPStatus.FORBIDDEN: "Ключу ElevenLabs запрещено распознавание: проверьте права и тариф",
    # No recording is addressed by its path: a wrong base address refuses all of them alike.
    HTTPStatus.NOT_FOUND: "ElevenLabs не найден по этому адресу: проверьте ELEVENLABS_BASE_URL",
}
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


def from_answer(error: ApiError) -> ProviderError:
    """Our error for an HTTP answer that the SDK could not turn into a result."""
    status = error.status_code or 0
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    request_id = headers.get("request-id")
    code = provider_code(error.body)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ProviderRateLimitedError(
            PROVIDER,
            "ElevenLabs просит подождать: слишком много запросов, попытка будет повторена",
            request_id=request_id,
            retry_after=_seconds(headers.get("retry-after")),
        )
    kind, message = _judged(status, code)
    return kind(PROVIDER, message, status=status, request_id=request_id)


def from_network(error: httpx.HTTPError) -> ProviderError:
    """Our error for a broken connection. Whatever may have been carried out counts as lost."""
    if isinstance(error, _UNSENT):
        return ProviderUnavailableError(
            PROVIDER, "Нет связи с ElevenLabs: проверьте сеть, попытка будет повторена"
        )
    if isinstance(error, httpx.DecodingError):
        return unreadable()
    return answer_lost()


def answer_lost(status: int | None = None) -> AnswerLostError:
    """The recording was sent, and no answer came."""
    return AnswerLostError(
        PROVIDER,
        "Ответ ElevenLabs потерян: распознавание могло быть оплачено; если повтор ждёт решения,"
        " он в medai held list",
        status=status,
    )


def no_answer(status: int | None = None) -> ProviderUnavailableError:
    """A request that costs nothing was not answered."""
    message = "ElevenLabs не ответил: повторите позже"
    return ProviderUnavailableError(PROVIDER, message, status=status)


def unreadable(request_id: str | None = None) -> ProviderAnswerError:
    """A 2xx answer without a usable transcript."""
    return ProviderAnswerError(
        PROVIDER,
        "Ответ ElevenLabs не читается: повторите распознавание или обратитесь к разработчику",
        status=HTTPStatus.OK,
        request_id=request_id,
    )


def provider_code(body: Any) -> str:
    """The provider's error code: `detail.code`, else the legacy `detail.status`, else empty."""
    detail = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(detail, dict):
        return ""
    for key in ("code", "status"):
        value = detail.get(key)
        if isinstance(value, str) and _CODE.fullmatch(value):
            return value
    return ""


def _judged(status: int, code: str) -> tuple[type[ProviderError], str]:
    if code == "quota_exceeded":  # came with 401 in older versions
        return ProviderStoppedError, _STOPPED[HTTPStatus.PAYMENT_REQUIRED]
    if status in _STOPPED:
        return ProviderStoppedError, _STOPPED[HTTPStatus(status)]
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return ProviderAnswerError, unreadable().message
    if status == HTTPStatus.GATEWAY_TIMEOUT:  # the work behind the gateway may be going on
        return AnswerLostError, answer_lost().message
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        return ProviderUnavailableError, (
            f"ElevenLabs временно недоступен ({status}): попытка будет повторена"
        )
    shown = f"{status}, {code}" if code else str(status)
    return ProviderRejectedError, f"ElevenLabs отклонил запись ({shown}): проверьте файл и модель"


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None
