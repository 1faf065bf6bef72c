"""How much a request may send."""

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BYTES_PER_MEGABYTE = 1024 * 1024
_MOST_MEGABYTES = 1
"""The largest order is a list of dates."""
_TOO_LARGE = "Запрос слишком велик: разбейте его на части"


class BodyCap:
    """ASGI middleware: 413 for a body over the cap, announced or counted while it comes.

    `uploads` are paths with a cap of their own, in megabytes.
    """

    def __init__(self, app: ASGIApp, uploads: dict[str, int]) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._uploads.get(scope["path"], _MOST_MEGABYTES) * _BYTES_PER_MEGABYTE
        if _announced(scope) > most:
            refusal = JSONResponse({"detail": _TOO_LARGE}, 413, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, _Counted(receive, most), send)


class _Counted:
    """A receiver that stops at the cap."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Message:
        """The next part. Raises HTTPException, which FastAPI answers with while it reads."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, _TOO_LARGE)
        return message


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
