"""Answers that never arrive: responses that close or hold the connection instead of speaking.

`with_transport` must be the outermost ASGI layer: only there is uvicorn's own `send`, which knows
the TCP transport.
"""

import asyncio
from contextlib import suppress

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from medai.sandbox.faults import Fault

_TRANSPORT = "medai.sandbox.transport"
_PAGE = (
    "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
)


def with_transport(app: ASGIApp) -> ASGIApp:
    """The app with the connection's transport in its scope, for `Dropped`."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)
        scope[_TRANSPORT] = getattr(cycle, "transport", None)
        with suppress(ClientDisconnect):  # a client that was killed: nobody to answer
            await app(scope, receive, send)

    return outer


class Dropped(Response):
    """Closes the TCP connection without a byte of answer."""

    def __init__(self, background: BackgroundTask | None = None) -> None:
        super().__init__(background=background)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Abort the transport and wait until the server has noticed."""
        transport: asyncio.Transport | None = scope.get(_TRANSPORT)
        if transport is None:
            raise ConnectionAbortedError("the sandbox dropped this connection")
        transport.abort()
        await _until_disconnected(receive)


class Silent(Response):
    """Never answers: holds the connection until the client gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Wait for the client's disconnect."""
        await _until_disconnected(receive)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def html_page(status: int, title: str) -> HTMLResponse:
    """A page as a proxy or a firewall in front of a provider shows it."""
    return HTMLResponse(_PAGE.format(title=title), status)


async def before_work(fault: Fault | None) -> Response | None:
    """What the faults that are equal everywhere do before any work; None = go on.

    Handles slow, reset, rate_limit_html, gateway_html, forbidden_html and html_ok.
    """
    if fault is None:
        return None
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "reset":
        return Dropped()
    page = _PAGES.get(fault.kind)
    return html_page(fault.status or page[0], page[1]) if page else None


def after_work(fault: Fault | None, answer: Response) -> Response:
    """The answer, or what timeout and reset_after_commit leave of it once the work is done."""
    if fault is not None and fault.kind == "reset_after_commit":
        return Dropped()
    if fault is not None and fault.kind == "timeout":
        return Silent()
    if fault is not None and fault.kind == "invalid_json":
        half = bytes(answer.body)[: len(answer.body) // 2]
        return Response(half, answer.status_code, media_type="application/json")
    return answer


_PAGES = {
    "rate_limit_html": (429, "429 Too Many Requests"),
    "gateway_html": (502, "502 Bad Gateway"),
    "forbidden_html": (403, "403 Forbidden"),
    "html_ok": (200, "Service check"),
}
