"""Where Telegram delivers updates, when a webhook is set (telegram.md 6)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse, Response

from medai.infra.crypto import is_same

WEBHOOK_PATH = "/telegram/webhook"

Take = Callable[[dict[str, Any]], Awaitable[bool]]
"""Takes one update in the Bot API's form; False while no bot is at work here."""


def webhook_router(secret: str, take: Take) -> APIRouter:
    """One route, guarded by the secret that Telegram was told, and by nothing else."""
    router = APIRouter(tags=["telegram"])

    @router.post(WEBHOOK_PATH, include_in_schema=False)
    async def update(
        body: dict[str, Any],
        given: Annotated[str, Header(alias="X-Telegram-Bot-Api-Secret-Token")] = "",
    ) -> Response:
        if not is_same(given, secret):
            return JSONResponse({"detail": "Неверный секрет вебхука"}, status_code=403)
        if not await take(body):  # Telegram repeats it
            return JSONResponse({"detail": "Бот ещё не готов"}, status_code=503)
        return JSONResponse({})

    return router
