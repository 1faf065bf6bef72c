"""Error bodies of ElevenLabs (elevenlabs.md 8)."""

from fastapi.responses import JSONResponse

from medai.sandbox.faults import Fault

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_error",
    403: "authorization_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class RefusedError(Exception):
    """The request is answered with an error; nothing was done or billed."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


class UnprocessableError(Exception):
    """A 422 as the web framework writes it: a list of places and messages."""

    def __init__(self, field: str, message: str, *, kind: str = "value_error") -> None:
        super().__init__(message)
        self.detail = [{"type": kind, "loc": ["body", field], "msg": message, "input": None}]


def refused(error: RefusedError, request_id: str) -> JSONResponse:
    """The current error form; `status` is the legacy twin of `code`."""
    detail = {
        "type": _TYPES.get(error.status, "api_error"),
        "code": error.code,
        "message": str(error),
        "param": error.param,
        "request_id": request_id,
        "status": _LEGACY.get(error.code, error.code),
    }
    return JSONResponse({"detail": detail}, error.status)


def unprocessable(error: UnprocessableError) -> JSONResponse:
    """The body of a 422."""
    return JSONResponse({"detail": error.detail}, 422)


_LEGACY = {
    "concurrent_limit_exceeded": "too_many_concurrent_requests",
    "insufficient_credits": "quota_exceeded",
}

_SCRIPTED: dict[str, tuple[int, str, str]] = {
    "rate_limit_json": (429, "rate_limit_exceeded", "Too many requests"),
    "concurrent_limit": (429, "concurrent_limit_exceeded", "Too many concurrent requests"),
    "server_error": (500, "internal_error", "An internal error occurred"),
    "bad_key": (401, "invalid_api_key", "Invalid API key"),
    "payment_required": (402, "insufficient_credits", "You have no credits left"),
    "quota": (401, "quota_exceeded", "This request exceeds your quota"),
    "unsupported_region": (403, "feature_not_available", "Not available in your region"),
    "not_found": (404, "transcript_not_found", "Transcript not found"),
}


def scripted(fault: Fault | None) -> RefusedError | None:
    """The refusal that a fault asks for, or None."""
    if fault is None or fault.kind not in _SCRIPTED:
        return None
    status, code, message = _SCRIPTED[fault.kind]
    return RefusedError(fault.status or status, code, message)
