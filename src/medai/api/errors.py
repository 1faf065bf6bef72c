"""Errors as HTTP: a stable code becomes a status, the message goes into `detail`."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from medai.api import request_ids
from medai.errors import MedaiError

_log = structlog.get_logger(__name__)

_STATUSES = {
    "invalid_input": 400,
    "access_denied": 401,
    "forbidden": 403,
    "limit_exceeded": 403,
    "not_found": 404,
    "conflict": 409,
    "recording_unavailable": 422,
    "provider": 502,
    "provider_rejected": 502,
    "provider_answer": 502,
    "provider_stopped": 502,
    "answer_lost": 502,
    "provider_rate_limited": 503,
    "provider_unavailable": 503,
    "store_unavailable": 503,
    "report_rendering": 503,
    "settings": 503,
}
_INTERNAL = "Внутренняя ошибка: сообщите разработчикам номер запроса из заголовка X-Request-ID"
_SHOWN = ("type", "loc", "msg")
"""Of a validation error. Not the input: it may be a secret, or text that no JSON can hold."""

_MEANINGS = {
    400: "Запрос нельзя выполнить: что не так, сказано в detail",
    401: "Нет ключа, или ключ неверный",
    403: "Ключ не даёт этого права, или исчерпаны минуты клиники",
    404: "Не найдено, или недоступно этому ключу",
    409: "Уже изменено кем-то другим: прочитайте снова",
    413: "Тело запроса слишком велико",
    422: "Параметр или тело не того вида, или запись непригодна",
    429: "Слишком много запросов: подождите секунды из Retry-After",
    500: "Ошибка в сервисе: подробности в его журнале",
    502: "Поставщик отказал",
    503: "База данных или поставщик недоступны, или не задана настройка: сказано в detail",
}


_FRAMEWORK = {
    400: ("invalid_input", "Тело запроса не читается: проверьте его вид и Content-Type"),
    404: ("not_found", "Такого адреса нет: список адресов на /docs"),
    405: ("method_not_allowed", "Этот адрес отвечает на другой метод: смотрите /docs"),
}
"""Refusals of the framework, before any route of ours is reached."""


class Problem(BaseModel):
    """Any refusal. `detail` is one Russian line for a person; 422 gives a list of places,
    a spent quota an object. `code` is stable and for programs."""

    detail: str | dict[str, Any] | list[dict[str, Any]] = Field(
        examples=["Клиника «0b1c…» не найдена: проверьте client_id"]
    )
    code: str | None = Field(None, examples=["not_found"])


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these statuses."""
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


COMMON = problems(400, 401, 403, 413, 422, 429, 503)
"""Any route behind the guard may answer with these."""


def answer(error: MedaiError) -> JSONResponse:
    """A known error as a response."""
    return refusal(error.code, error.message)


def refusal(code: str, message: str) -> JSONResponse:
    """A failure by its stable code, perhaps of a step that failed in another process."""
    # A lone surrogate of somebody's text would break the encoding of the answer.
    body = {"detail": message.encode(errors="replace").decode(), "code": code}
    return JSONResponse(body, status_code=_STATUSES.get(code, 500))


def install(api: FastAPI) -> None:
    """Answer every error in one shape: {"detail": message, "code": code}."""

    @api.exception_handler(MedaiError)
    async def known(request: Request, error: MedaiError) -> JSONResponse:
        response = answer(error)
        # The route, not the path: names of transcripts begin with a phone.
        route = getattr(request.scope.get("route"), "path", None)
        _log.info("request refused", route=route, code=error.code, status=response.status_code)
        return response

    @api.exception_handler(HTTPException)
    async def unroutable(_: Request, error: HTTPException) -> JSONResponse:
        code, message = _FRAMEWORK.get(error.status_code, (None, error.detail))
        body = {"detail": message} if code is None else {"detail": message, "code": code}
        return JSONResponse(body, error.status_code, error.headers)

    @api.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        shown = [{name: one[name] for name in _SHOWN} for one in error.errors()]
        return JSONResponse({"detail": shown}, status_code=422)

    @api.exception_handler(Exception)
    async def unknown(request: Request, _: Exception) -> JSONResponse:
        # Answered outside of all our middleware: the number that the text speaks of is set here.
        number = {request_ids.HEADER: request.state.request_id}
        return JSONResponse({"detail": _INTERNAL, "code": MedaiError.code}, 500, number)
