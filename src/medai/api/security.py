"""Who may ask: the owner's key for everything, signed links for files (contract 0, design 6)."""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from medai.bootstrap import Application
from medai.errors import AccessDeniedError

_OPEN_PATHS = frozenset(
    {"/docs", "/openapi.json", "/redoc", "/api/status", "/health/live", "/health/ready"}
)
_MEASURES_PATH = "/metrics"
_LINK_PREFIXES = ("/api/calls/download/", "/api/transcriptions/", "/api/call/reports/")
"""Files that are opened straight from DataLens, Excel, PDF and Telegram."""
_API_PREFIX = "/api"
_DENIED = {"detail": "Invalid or missing API key"}
"""The body old clients know (contract 0)."""


class AccessCheck:
    """An HTTP middleware: fails closed, answers 401 in the contract's shape."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Let the request through or answer 401."""
        if (
            self._is_open(request)
            or self._has_key(request)
            or self._has_link(request)
            or self._may_measure(request)
        ):
            return await call_next(request)
        return JSONResponse(_DENIED, status_code=401)

    def _is_open(self, request: Request) -> bool:
        return request.method == "OPTIONS" or request.url.path in _OPEN_PATHS

    def _has_key(self, request: Request) -> bool:
        given = request.headers.get("X-API-Key", "")
        return _same(given, self._application.api_key)

    def _may_measure(self, request: Request) -> bool:
        """Prometheus has a token of its own, which opens nothing else."""
        token = self._application.settings.medai_metrics_token.get_secret_value()
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_asked = request.url.path == _MEASURES_PATH and scheme.lower() == "bearer"
        return bool(token) and is_asked and _same(given, token)

    def _has_link(self, request: Request) -> bool:
        path = request.url.path
        if request.method not in ("GET", "HEAD") or not _is_file(path):
            return False
        if self._application.settings.medai_open_links == "legacy":
            return True
        query = request.query_params
        try:
            self._application.signer.verify(
                path.removeprefix(_API_PREFIX),
                query.get("expires", ""),
                query.get("signature", ""),
                now=self._application.clock(),
            )
        except AccessDeniedError:
            return False
        return True


def _same(given: str, expected: str) -> bool:
    # Compared as bytes: compare_digest refuses text outside ASCII.
    return hmac.compare_digest(given.encode(), expected.encode())


def _is_file(path: str) -> bool:
    """One of the file routes, without tricks in the path."""
    if ".." in path or "//" in path or unquote(path) != path:
        return False
    if path.startswith("/api/calls/download/"):
        return True
    return path.startswith(_LINK_PREFIXES) and path.endswith("/download")
