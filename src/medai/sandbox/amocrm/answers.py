"""Response bodies and content types of API v4 (amocrm.md 0, 10)."""

import json
import uuid

from starlette.responses import HTMLResponse, Response

from medai.sandbox.amocrm.rows import Row
from medai.sandbox.connection import html_page

HAL = "application/hal+json"
PROBLEM = "application/problem+json"
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}


class ProblemError(Exception):
    """A request that the API refuses with problem+json.

    `invalid` are items of `validation-errors`, `extra` further fields of the body.
    """

    def __init__(
        self, status: int, detail: str, *, invalid: list[Row] | None = None, **extra: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.invalid = invalid
        self.extra = extra

    def response(self) -> Response:
        """The refusal as the API words it."""
        body: Row = {"validation-errors": self.invalid} if self.invalid else {}
        body |= {
            "title": _TITLES.get(self.status, "Bad Request"),
            "type": f"https://httpstatus.es/{self.status}",
            "status": self.status,
            "detail": self.detail,
        }
        return written(body | self.extra, self.status, PROBLEM)


def validation(errors: list[tuple[str, str, str, str]]) -> ProblemError:
    """400 for items of (request_id, code, path, detail)."""
    items = [
        {"request_id": request_id, "errors": [{"code": code, "path": path, "detail": detail}]}
        for request_id, code, path, detail in errors
    ]
    return ProblemError(400, "Request validation failed", invalid=items)


def written(body: Row, status: int = 200, media_type: str = HAL) -> Response:
    """The object as JSON; Cyrillic as it is, like the platform."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, media_type=media_type)


def nothing() -> Response:
    """204: an empty list or a missing card or note."""
    return Response(status_code=204)


def unauthorized() -> Response:
    """401 for a missing, wrong, expired or revoked access token."""
    return ProblemError(401, "Invalid user name or password").response()


def payment_required() -> Response:
    """402: the account's subscription has ended."""
    return ProblemError(402, "Payment Required").response()


def server_error(status: int) -> Response:
    """A failure inside the platform, with its JSON."""
    detail = "Internal server error"
    trace = {"trace_id": uuid.uuid4().hex}
    body: Row = {"title": "ErrInternalServer", "status": status, "detail": detail} | trace
    return written(body, status, PROBLEM)


def too_many_json(retry_after: float) -> Response:
    """429 as Kommo documents it: the wait in seconds stands in the body (amocrm.md 2.2)."""
    detail = "Too many requests, try again later"
    return ProblemError(429, detail, retry_after=retry_after).response()


def too_many_html() -> HTMLResponse:
    """429 as the .ru gateway shows it."""
    return html_page(429, "429 Too Many Requests")


def blocked() -> HTMLResponse:
    """403 of a blocked account: a gateway page for every request (amocrm.md 2.2)."""
    return html_page(403, "403 Forbidden")
