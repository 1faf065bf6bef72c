"""The HTTP surface: responses, chat completions, models."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from medai.sandbox.connection import after_work, before_work
from medai.sandbox.credentials import OPENAI_KEY
from medai.sandbox.faults import Fault
from medai.sandbox.openai import answers, models
from medai.sandbox.openai.errors import ApiRefusedError, check_key, refused, scripted
from medai.sandbox.openai.model import OpenAI
from medai.sandbox.openai.question import Question, from_chat, from_responses
from medai.sandbox.state import Sandbox

Work = Callable[[dict[str, Any], Fault | None], dict[str, Any]]

_LIMITS = {
    "openai-processing-ms": "12",
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
}
_OWN_INVALID_JSON = "invalid_json"
"""Here the envelope is sound and the model's own text is broken."""


def build_router(sandbox: Sandbox, project: OpenAI) -> APIRouter:
    """The routes below the base URL without /v1 (/openai)."""
    router = APIRouter(prefix="/v1")

    def answered(body: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        return _generated(project, from_responses, answers.response, body, fault)

    def completed(body: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        if fault is not None and fault.kind == "failed":
            raise ApiRefusedError(500, "The model failed to generate.", kind="server_error")
        return _generated(project, from_chat, answers.completion, body, fault)

    @router.post("/responses")
    async def responses(request: Request) -> Response:
        return await _exchange(sandbox, project, request, answered)

    @router.post("/chat/completions")
    async def chat(request: Request) -> Response:
        return await _exchange(sandbox, project, request, completed)

    @router.get("/models")
    async def list_models(request: Request) -> Response:
        return await _exchange(sandbox, project, request, lambda _body, _fault: models.listing())

    return router


def _generated(
    project: OpenAI,
    parse: Callable[[dict[str, Any]], Question],
    render: Callable[[Question, answers.Generated], dict[str, Any]],
    body: dict[str, Any],
    fault: Fault | None,
) -> dict[str, Any]:
    question = parse(body)
    project.requests.append(body)
    return render(question, project.generate(question, fault))


async def _exchange(sandbox: Sandbox, project: OpenAI, request: Request, work: Work) -> Response:
    """One request: scripted faults, key, work, headers."""
    path = request.url.path.removeprefix("/openai")
    fault = sandbox.faults.take("openai", f"{request.method} {path}")
    early = await before_work(fault)
    if early is not None:
        return early
    try:
        result = await _worked(request, fault, work)
    except ApiRefusedError as error:
        result = refused(error)
    result.headers["x-request-id"] = f"req_{project.next_id()}"
    own = fault is not None and fault.kind == _OWN_INVALID_JSON
    return result if own else after_work(fault, result)


async def _worked(request: Request, fault: Fault | None, work: Work) -> JSONResponse:
    check_key(request.headers.get("authorization"), OPENAI_KEY)
    if (refusal := scripted(fault)) is not None:
        raise refusal
    body = await _json(request) if request.method == "POST" else {}
    return JSONResponse(work(body, fault), headers=_LIMITS)


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise ApiRefusedError(400, "We could not parse the JSON body.") from error
    if not isinstance(body, dict):
        raise ApiRefusedError(400, "The body must be a JSON object.")
    return body
