"""Failures of an OpenAI-style server as our error tree (openai.md 7).

Messages hold neither the request nor the server's own text: servers quote prompts in errors.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai

from medai.errors import (
    NoAnswerError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)

PROVIDER = "openai"

_STOP_CODES = frozenset({
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "insufficient_quota",
    "billing_hard_limit_reached",
    "account_deactivated",
    "invalid_api_key",
    "model_not_found",
    "data_residency_mismatch",
})  # fmt: skip
_BACK_OFF_CODES = frozenset({"rate_limit_exceeded", "slow_down", "server_is_overloaded"})
_TRANSIENT_CODES = frozenset({"server_error", "vector_store_timeout"})
# 404 means a wrong address or model name: no request passes until a person corrects it.
_STOP_STATUSES = frozenset({401, 402, 403, 404})
_TRANSIENT_STATUSES = frozenset({408, 409, 425})
_GATEWAY_TIMEOUT = 504
"""A gateway gave up waiting: the model behind it may have answered."""
_UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
_SAFE_CODE = re.compile(r"[a-z0-9_]{1,64}")


def from_sdk(error: openai.APIError) -> ProviderError:
    """Whatever the SDK raised, in our words."""
    if isinstance(error, openai.APIConnectionError):
        # The SDK's own cause tells whether a byte of the request had left.
        sent = not isinstance(error.__cause__, _UNSENT)
        kind = NoAnswerError if sent else ProviderUnavailableError
        return kind(PROVIDER, "Сервер языковой модели не отвечает: запрос будет повторён позже")
    if isinstance(error, openai.APIStatusError):
        return from_status(
            error.status_code, (error.code, error.type), error.response.headers, error.request_id
        )
    return unreadable(None)


def from_status(
    status: int,
    codes: tuple[str | None, ...],
    headers: Mapping[str, str],
    request_id: str | None,
) -> ProviderError:
    """An HTTP error status with the codes of its body, if it had any."""
    named = {code for code in codes if code}
    if named & _STOP_CODES or (status in _STOP_STATUSES and not named & _BACK_OFF_CODES):
        return _stopped(status, codes, request_id)
    if status == 429 or named & _BACK_OFF_CODES:
        return ProviderRateLimitedError(
            PROVIDER,
            "Языковая модель просит снизить темп запросов: запрос будет повторён позже",
            status=status,
            request_id=request_id,
            retry_after=retry_after(headers),
        )
    if status >= 500 or status in _TRANSIENT_STATUSES:
        return _unavailable(status, request_id)
    return _rejected(status, codes, request_id)


def from_failed(code: str | None, request_id: str | None) -> ProviderError:
    """An answer with HTTP 200 whose status is `failed` (openai.md 4)."""
    named = {code} if code else set()
    if named & _STOP_CODES:
        return _stopped(200, (code,), request_id)
    if named & _BACK_OFF_CODES:
        return from_status(429, (code,), {}, request_id)
    if not named or named & _TRANSIENT_CODES:
        return _unavailable(200, request_id)
    return _rejected(200, (code,), request_id)


def refused(request_id: str | None) -> ProviderRejectedError:
    """The model or its content filter declined; asking again gives the same."""
    return ProviderRejectedError(
        PROVIDER,
        "Языковая модель отказалась разбирать этот разговор: оцените его вручную",
        status=200,
        request_id=request_id,
    )


def unreadable(request_id: str | None) -> ProviderAnswerError:
    """A body that is not the promised JSON: an HTML page of a proxy, for example."""
    return ProviderAnswerError(
        PROVIDER,
        "Ответ сервера языковой модели не читается: проверьте OPENAI_BASE_URL и прокси",
        request_id=request_id,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait in seconds that the server named: `retry-after-ms`, seconds or an HTTP date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    named = headers.get("retry-after")
    seconds = _number(named)
    return seconds if seconds is not None or not named else _until(named)


def _number(text: str | None) -> float | None:
    found = re.fullmatch(r"\d{1,9}(\.\d+)?", (text or "").strip())
    return float(found.group()) if found else None


def _until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _stopped(
    status: int, codes: tuple[str | None, ...], request_id: str | None
) -> ProviderStoppedError:
    return ProviderStoppedError(
        PROVIDER,
        f"Языковая модель недоступна для нас ({_shown(status, codes)}): "
        "проверьте ключ OPENAI, оплату, название модели и страну сервера",
        status=status,
        request_id=request_id,
    )


def _unavailable(status: int, request_id: str | None) -> ProviderUnavailableError:
    kind = NoAnswerError if status == _GATEWAY_TIMEOUT else ProviderUnavailableError
    return kind(
        PROVIDER,
        "Сбой на стороне языковой модели: запрос будет повторён позже",
        status=status,
        request_id=request_id,
    )


def _rejected(
    status: int, codes: tuple[str | None, ...], request_id: str | None
) -> ProviderRejectedError:
    return ProviderRejectedError(
        PROVIDER,
        f"Языковая модель не приняла запрос ({_shown(status, codes)}): оцените звонок вручную",
        status=status,
        request_id=request_id,
    )


def _shown(status: int, codes: tuple[str | None, ...]) -> str:
    """The first code that looks like a code: a server may put any text there."""
    safe = (code for code in codes if code and _SAFE_CODE.fullmatch(code))
    return next(safe, f"код {status}")
