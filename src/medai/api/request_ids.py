"""A number for every request: in each log line it causes and in the answer's header."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medai.infra.logging import context
from medai.kit.ids import random_id

HEADER = "X-Request-ID"
_USABLE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9._-]{8,64}")
"""A letter is asked for: bare digits could be somebody's phone."""


class RequestIds:
    """ASGI middleware. A usable number of the client (or its proxy) is kept, else one is made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the number for the time of the request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = usable(Headers(scope=scope).get(HEADER, "")) or random_id()
        scope.setdefault("state", {})["request_id"] = number

        async def numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        with context(request_id=number):
            await self._app(scope, receive, numbered)


def usable(given: str) -> str:
    """The given number if it is short and plain, else nothing."""
    return given if _USABLE.fullmatch(given) else ""
