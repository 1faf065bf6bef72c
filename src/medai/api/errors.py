"""Errors as HTTP: a stable code becomes a status, the message goes into `detail`."""

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from medai.errors import MedaiError

_log = structlog.get_logger(__name__)

_STATUSES = {
    "invalid_input": 400,
    "access_denied": 401,
    "not_found": 404,
    "conflict": 409,
    "limit_exceeded": 403,
    "recording_unavailable": 422,
    "provider_rate_limited": 503,
    "provider_unavailable": 503,
    "provider_stopped": 502,
    "store_unavailable": 503,
}


def install(api: FastAPI) -> None:
    """Answer every known error in one shape: {"detail": message, "code": code}."""

    @api.exception_handler(MedaiError)
    async def known(request: Request, error: MedaiError) -> JSONResponse:
        status = _STATUSES.get(error.code, 500)
        # The route, not the path: names of transcripts begin with a phone.
        route = getattr(request.scope.get("route"), "path", None)
        _log.info("request refused", route=route, code=error.code, status=status)
        return JSONResponse({"detail": error.message, "code": error.code}, status_code=status)
