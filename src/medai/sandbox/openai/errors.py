"""Error bodies and headers of the OpenAI API (openai.md 7)."""

from fastapi.responses import JSONResponse

from medai.sandbox.faults import Fault

_DEFAULT_WAIT_SECONDS = 0.02
"""Short, so that tests of retries are quick; a fault's `seconds` replaces it."""


class ApiRefusedError(Exception):
    """The request is answered with an error object; nothing was generated."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "type": kind, "param": param, "code": code}
        self.headers = headers or {}


def refused(error: ApiRefusedError) -> JSONResponse:
    """The error as an HTTP answer."""
    return JSONResponse({"error": error.body}, error.status, headers=error.headers)


def check_key(authorization: str | None, key: str) -> None:
    """Raise ApiRefusedError (401) unless the header carries the sandbox's key."""
    if authorization != f"Bearer {key}":
        raise ApiRefusedError(401, "Incorrect API key provided", code="invalid_api_key")


def scripted(fault: Fault | None) -> ApiRefusedError | None:
    """The refusal that a fault asks for, or None."""
    if fault is None:
        return None
    if fault.kind == "rate_limit_json":
        wait = fault.seconds or _DEFAULT_WAIT_SECONDS
        headers = {"retry-after-ms": str(round(wait * 1000)), "retry-after": str(round(wait))}
        return _rate_limit(headers | _USED_UP)
    if fault.kind == "rate_limit_plain":
        return _rate_limit({})
    if fault.kind not in _REFUSALS:
        return None
    status, kind, code, message = _REFUSALS[fault.kind]
    return ApiRefusedError(fault.status or status, message, code=code, kind=kind)


def _rate_limit(headers: dict[str, str]) -> ApiRefusedError:
    return ApiRefusedError(
        429,
        "Rate limit reached for requests",
        code="rate_limit_exceeded",
        kind="requests",
        headers=headers,
    )


_USED_UP = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "120ms",
}

_REFUSALS: dict[str, tuple[int, str, str | None, str]] = {
    "server_error": (500, "server_error", None, "The server had an error"),
    "bad_key": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided"),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"),
    "unsupported_region": (
        403,
        "request_forbidden",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
    ),
}
