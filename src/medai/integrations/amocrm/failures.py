"""amoCRM's answers other than success as errors of ours (amocrm.md 2.2 and 10)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from medai.errors import (
    ProviderError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)

from .models.lenient import JsonObject, integer, mapping, objects, text

PROVIDER = "amocrm"

_REAUTHORISE = "amoCRM отозвала доступ: подключите аккаунт клиники заново"
_UNPAID = "Подписка amoCRM не оплачена или закончилась: оплатите её, работа продолжится сама"
_ADDRESS_LIST = "amoCRM не пускает адрес этого сервера: добавьте его в белый список IP аккаунта"
_BLOCKED = (
    "amoCRM заблокировала API для этого сервера: напишите в её поддержку, указав IP и аккаунт"
)
_FORBIDDEN = "Недостаточно прав в amoCRM: переподключите аккаунт от имени администратора"
_MOVED = "Адрес аккаунта amoCRM изменился: проверьте поддомен в настройках клиники"
_LIMITED = "amoCRM просит подождать: слишком много запросов, повтор произойдёт сам"
_UNAVAILABLE = "amoCRM временно недоступна: повтор произойдёт сам"

_SAFE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
_SAFE_PATH = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
_CODES_SHOWN = 3


class AccountStoppedError(ProviderStoppedError):
    """The whole account is closed to us, not one route: further requests must not be sent."""


def request_id(response: httpx2.Response) -> str | None:
    """The number amoCRM's support asks for."""
    return response.headers.get("X-Request-Id")


def json_body(response: httpx2.Response) -> JsonObject:
    """The answer's JSON object; empty when it is HTML, broken or something else.

    Errors come as JSON or as a gateway's HTML page, so the content type is checked first.
    """
    if "json" not in response.headers.get("Content-Type", ""):
        return {}
    try:
        return mapping(response.json())
    except (ValueError, RecursionError):
        return {}


def failure(response: httpx2.Response) -> ProviderError:
    """The error that stands for an answer with a status of 300 and above."""
    status, number = response.status_code, request_id(response)
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        wait = retry_after(response)
        return ProviderRateLimitedError(PROVIDER, _LIMITED, request_id=number, retry_after=wait)
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR or status == httpx2.codes.REQUEST_TIMEOUT:
        return ProviderUnavailableError(PROVIDER, _UNAVAILABLE, status=status, request_id=number)
    if stopped := _stopped(response):
        kind, message = stopped
        return kind(PROVIDER, message, status=status, request_id=number)
    message = f"amoCRM отклонила запрос ({status}{_reasons(response)}): проверьте данные"
    return ProviderRejectedError(PROVIDER, message, status=status, request_id=number)


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds to wait: the header (seconds or a date), then the body's `retry_after`, else None."""
    named = response.headers.get("Retry-After", "")
    for value in (named, json_body(response).get("retry_after")):
        if (found := integer(value)) is not None:
            return float(max(found, 0))
    try:
        moment = parsedate_to_datetime(named)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _stopped(response: httpx2.Response) -> tuple[type[ProviderStoppedError], str] | None:
    match response.status_code:
        case httpx2.codes.UNAUTHORIZED:
            return ProviderStoppedError, _REAUTHORISE
        case httpx2.codes.PAYMENT_REQUIRED:
            return AccountStoppedError, _UNPAID
        case httpx2.codes.FORBIDDEN:
            return _forbidden(response)
        case status if status < httpx2.codes.BAD_REQUEST:
            return ProviderStoppedError, _MOVED
    return None


def _forbidden(response: httpx2.Response) -> tuple[type[ProviderStoppedError], str]:
    if "json" not in response.headers.get("Content-Type", ""):
        # Only the gateway answers with a page: the block for exceeding limits (amocrm.md 2.2).
        return AccountStoppedError, _BLOCKED
    body = json_body(response)
    codes = (body.get(key) for key in ("code", "error_code", "status", "detail"))
    if any(re.search(r"\b113\b", text(code)) for code in codes):
        return AccountStoppedError, _ADDRESS_LIST
    return ProviderStoppedError, _FORBIDDEN


def _reasons(response: httpx2.Response) -> str:
    """Up to three validation codes with their fields. Details are left out: they quote values."""
    found: list[str] = []
    for item in objects(json_body(response).get("validation-errors")):
        for error in objects(item.get("errors")):
            code, path = text(error.get("code")), text(error.get("path"))
            if _SAFE_CODE.fullmatch(code):
                found.append(f"{code} {path}" if _SAFE_PATH.fullmatch(path) else code)
    return "".join(f", {reason}" for reason in found[:_CODES_SHOWN])
