"""Error answers of the Bot API (telegram.md 7 and 11)."""

import math
from typing import Any

from fastapi.responses import JSONResponse

from medai.sandbox.faults import Fault

_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class RefusedError(Exception):
    """The method is answered with `ok: false`. `reason` follows the status name."""

    def __init__(self, status: int, reason: str = "", **parameters: Any) -> None:
        name = _NAMES.get(status, "Error")
        super().__init__(f"{name}: {reason}" if reason else name)
        self.status = status
        self.parameters = parameters


def bad(reason: str) -> RefusedError:
    """400 with a reason."""
    return RefusedError(400, reason)


def refused(error: RefusedError) -> JSONResponse:
    """The error as an HTTP answer with the same status."""
    body: dict[str, Any] = {"ok": False, "error_code": error.status, "description": str(error)}
    if error.parameters:
        body["parameters"] = error.parameters
    return JSONResponse(body, error.status)


def scripted(fault: Fault | None) -> RefusedError | None:
    """The refusal that a fault asks for, or None."""
    if fault is None:
        return None
    if fault.kind == "rate_limit_json":
        wait = max(1, math.ceil(fault.seconds))
        return RefusedError(429, f"retry after {wait}", retry_after=wait)
    if fault.kind not in _SCRIPTED:
        return None
    status, reason = _SCRIPTED[fault.kind]
    return RefusedError(fault.status or status, reason)


CONFLICT = "terminated by other getUpdates request; make sure that only one bot instance is running"
BLOCKED = "bot was blocked by the user"

_SCRIPTED: dict[str, tuple[int, str]] = {
    "server_error": (500, ""),
    "bad_key": (401, ""),
    "not_found": (404, ""),
    "conflict": (409, CONFLICT),
    "blocked": (403, BLOCKED),
}
