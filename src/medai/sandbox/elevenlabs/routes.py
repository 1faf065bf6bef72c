"""The HTTP surface: recognition, stored transcripts, subscription."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from medai.sandbox.connection import after_work, before_work
from medai.sandbox.credentials import ELEVENLABS_KEY
from medai.sandbox.elevenlabs.account import ElevenLabs
from medai.sandbox.elevenlabs.errors import (
    RefusedError,
    UnprocessableError,
    refused,
    scripted,
    unprocessable,
)
from medai.sandbox.elevenlabs.form import read_order
from medai.sandbox.state import Sandbox

Work = Callable[[], Awaitable[Any]]


def build_router(sandbox: Sandbox, account: ElevenLabs) -> APIRouter:
    """The routes below the base URL that the SDK is given (/elevenlabs)."""
    router = APIRouter(prefix="/v1")

    @router.post("/speech-to-text")
    async def convert(request: Request) -> Response:
        async def recognise() -> Any:
            keep = request.query_params.get("enable_logging") != "false"
            async with request.form() as form:
                order = await read_order(form)
            return await account.recognise(order, keep=keep)

        return await _exchange(sandbox, account, request, recognise)

    @router.api_route("/speech-to-text/transcripts/{transcription_id}", methods=["GET", "DELETE"])
    async def transcript(request: Request, transcription_id: str) -> Response:
        async def stored() -> Any:
            return _take(account, request.method, transcription_id)

        return await _exchange(sandbox, account, request, stored)

    @router.get("/user/subscription")
    async def subscription(request: Request) -> Response:
        async def plan() -> Any:
            return _SUBSCRIPTION

        return await _exchange(sandbox, account, request, plan)

    return router


async def _exchange(
    sandbox: Sandbox, account: ElevenLabs, request: Request, work: Work
) -> Response:
    """One request: scripted faults, key, work, counters in the headers."""
    path = request.url.path.removeprefix("/elevenlabs")
    fault = sandbox.faults.take("elevenlabs", f"{request.method} {path}")
    early = await before_work(fault)
    if early is not None:
        return early
    request_id = account.next_id("request")
    try:
        _check_key(request)
        if (refusal := scripted(fault)) is not None:
            raise refusal
        result: Response = JSONResponse(await work())
    except RefusedError as error:
        result = refused(error, request_id)
    except UnprocessableError as error:
        result = unprocessable(error)
    result.headers.update({"request-id": request_id, **account.capacity.headers()})
    return after_work(fault, result)


def _take(account: ElevenLabs, method: str, transcription_id: str) -> dict[str, Any]:
    body = account.transcripts.get(transcription_id)
    if body is None:
        raise RefusedError(404, "transcript_not_found", "Transcript not found")
    if method == "DELETE":
        del account.transcripts[transcription_id]
        return {"message": "Delete completed successfully."}
    return body


def _check_key(request: Request) -> None:
    key = request.headers.get("xi-api-key")
    if not key:
        raise RefusedError(401, "missing_api_key", "No API key was given")
    if key != ELEVENLABS_KEY:
        raise RefusedError(401, "invalid_api_key", "Invalid API key")


_SUBSCRIPTION: dict[str, Any] = {
    "tier": "starter",
    "character_count": 1200,
    "character_limit": 40000,
    "max_credit_limit_extension": 0,
    "can_extend_character_limit": False,
    "allowed_to_extend_character_limit": False,
    "next_character_count_reset_unix": 1796083200,
    "voice_slots_used": 0,
    "professional_voice_slots_used": 0,
    "voice_limit": 10,
    "can_extend_voice_limit": False,
    "can_use_instant_voice_cloning": True,
    "can_use_professional_voice_cloning": False,
    "currency": "usd",
    "status": "active",
    "billing_period": "monthly_period",
    "character_refresh_period": "monthly_period",
    "next_invoice": None,
    "open_invoices": [],
    "has_open_invoices": False,
}
