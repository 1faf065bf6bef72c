"""The guard before every route: keys, signed links of files, pace (contract 0, design 6)."""

import math
import re
from time import monotonic

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from medai.access.models import LINK, Grant
from medai.api import errors
from medai.bootstrap import Application
from medai.errors import AccessDeniedError, ForbiddenError, MedaiError
from medai.infra.crypto import is_same
from medai.kit.pace import Pace

OPEN_PATHS = frozenset(
    {
        *("/docs", "/openapi.json", "/redoc", "/api/status", "/health/live", "/health/ready"),
        "/api/telegram/webhook",
    }
)
"""What everybody may read, and the webhook, which has a secret of its own."""
_FILES = re.compile(
    r"/api/(calls/download/[^/]+|(transcriptions|analysis|call/reports)/[^/]+/download)"
)
"""Opened straight from DataLens, Excel, PDF and Telegram, which cannot send a key."""
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_NEVER_ENCODED = re.compile(r"[A-Za-z0-9._~/\\%\x00-\x1f\x7f-]")
_MEASURES_PATH = "/metrics"
_API_PREFIX = "/api"
_READING = frozenset({"GET", "HEAD"})
_DENIED = {"detail": "Invalid or missing API key"}
"""The body old clients know (contract 0)."""
_ANYBODY = Grant("anybody", "без ключа", may_write=False)


class Guard:
    """ASGI middleware. Fails closed; what a request may do lies in `request.state.grant`."""

    def __init__(self, app: ASGIApp, application: Application) -> None:
        self._app = app
        self._application = application
        self._pace = Pace(application.settings.api_requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 401, 403 or 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            refusal = await self._refusal(request)
        except MedaiError as error:
            refusal = errors.answer(error)
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        if request.method == "OPTIONS":
            return None
        grant = await self._grant(request)
        if _path(request) not in OPEN_PATHS:
            wait = self._pace.wait(_caller(request, grant), monotonic())
            if wait:
                return _too_fast(wait)
        if grant is None:
            return JSONResponse(_DENIED, status_code=401)
        writes = request.method not in _READING and _path(request) not in OPEN_PATHS
        if writes and not grant.may_write:
            raise ForbiddenError("Ключ только для чтения: попросите у владельца ключ для записи")
        request.state.grant = grant
        return None

    async def _grant(self, request: Request) -> Grant | None:
        if _path(request) in OPEN_PATHS:
            return _ANYBODY
        given = request.headers.get("X-API-Key", "")
        if given and (grant := await self._application.keys.grant(given)):
            return grant
        if self._has_link(request) or self._may_measure(request):
            return LINK
        return None

    def _may_measure(self, request: Request) -> bool:
        """Prometheus has a token of its own, which opens nothing else."""
        token = self._application.settings.medai_metrics_token.get_secret_value()
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_asked = _path(request) == _MEASURES_PATH and scheme.lower() == "bearer"
        return bool(token) and is_asked and is_same(given, token)

    def _has_link(self, request: Request) -> bool:
        path = _path(request)
        raw: bytes = request.scope.get("raw_path") or path.encode()
        if request.method not in _READING or not is_file(path, raw):
            return False
        if self._application.settings.medai_open_links == "legacy":
            return True
        # Said twice, it would depend on the reader which one counts.
        expires, signature = map(request.query_params.getlist, ("expires", "signature"))
        if len(expires) != 1 or len(signature) != 1:
            return False
        try:
            self._application.signer.verify(
                path.removeprefix(_API_PREFIX),
                expires[0],
                signature[0],
                now=self._application.clock(),
            )
        except AccessDeniedError:
            return False
        return True


def is_file(path: str, raw: bytes) -> bool:
    """Whether the path is one of the file routes, without tricks in it.

    `raw` is the path as it was sent: letters that need no encoding, slashes and control
    characters are encoded only to deceive somebody.
    """
    hidden = (chr(int(code, 16)) for code in _ENCODED.findall(raw))
    if ".." in path or any(_NEVER_ENCODED.fullmatch(letter) for letter in hidden):
        return False
    return bool(_FILES.fullmatch(path))


def _path(request: Request) -> str:
    """The path that the router sees; `request.url` is put together anew from the Host header."""
    path: str = request.scope["path"]
    return path


def _caller(request: Request, grant: Grant | None) -> str:
    """A key by its id; everybody else by address, guesses apart from good links: many people
    share an address, and whoever guesses there must not take the turns of those with a link."""
    if grant is None or grant is LINK:
        kind = "guesses" if grant is None else grant.id
        return f"{kind} from {request.client.host if request.client else '-'}"
    return grant.id


def _too_fast(wait: float) -> Response:
    seconds = math.ceil(wait)
    body = {"detail": f"Слишком много запросов: повторите через {seconds} с", "code": "too_fast"}
    return JSONResponse(body, status_code=429, headers={"Retry-After": str(seconds)})
