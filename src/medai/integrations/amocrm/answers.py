"""What an exchange came to: the answer's object, or an error that tells reads from writes.

A read may always be repeated; a write that may have been carried out is lost, not unavailable.
"""

import httpx2

from medai.errors import (
    AnswerLostError,
    ProviderAnswerError,
    ProviderError,
    ProviderUnavailableError,
)
from medai.infra import measures

from .failures import PROVIDER, failure, request_id
from .models.lenient import JsonObject

_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""Failures before a byte of the request left this machine."""

_NO_CONNECTION = "Нет связи с amoCRM: повтор произойдёт сам"
_LOST = "Ответ amoCRM на запись потерян: результат проверяется перед повтором"
_UNREADABLE = "amoCRM прислала нечитаемый ответ: если повторяется, сообщите в поддержку"
_READ_AGAIN: tuple[type[ProviderError], str] = (ProviderAnswerError, _UNREADABLE)


def judged(method: str, response: httpx2.Response) -> JsonObject | None:
    """The answer's object, None for 204, or the error it stands for."""
    status, number = response.status_code, request_id(response)
    if status == httpx2.codes.NO_CONTENT:
        return None
    if not response.is_success:
        error = failure(response)
        if method != "GET" and isinstance(error, ProviderUnavailableError):
            raise AnswerLostError(PROVIDER, _LOST, status=status, request_id=number)
        raise error
    try:
        body = response.json()
    except (ValueError, RecursionError) as error:
        raise _unreadable(method, status, number) from error
    if not isinstance(body, dict):
        raise _unreadable(method, status, number)
    return body


def _unreadable(method: str, status: int, number: str | None) -> ProviderError:
    # An unreadable success of a write has had its effect: repeating it would double the note.
    kind, message = (AnswerLostError, _LOST) if method != "GET" else _READ_AGAIN
    measures.provider_failed(PROVIDER, kind.code)
    return kind(PROVIDER, message, status=status, request_id=number)


def without_answer(method: str, error: Exception) -> ProviderError:
    """The error for an exchange that ended without a whole answer."""
    if isinstance(error, _UNSENT):
        return ProviderUnavailableError(PROVIDER, _NO_CONNECTION)
    if method != "GET":
        return AnswerLostError(PROVIDER, _LOST)
    if isinstance(error, httpx2.DecodingError):
        return ProviderAnswerError(PROVIDER, _UNREADABLE)
    return ProviderUnavailableError(PROVIDER, _NO_CONNECTION)
