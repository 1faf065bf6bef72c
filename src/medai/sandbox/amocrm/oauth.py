"""POST /oauth2/access_token (amocrm.md 1.2, 1.3)."""

import json
from collections.abc import Callable

from starlette.responses import Response

from medai.sandbox.amocrm.account import Account
from medai.sandbox.amocrm.answers import written
from medai.sandbox.amocrm.rows import Row
from medai.sandbox.amocrm.tokens import TokenRefusedError, Tokens

_JSON = "application/json"
_GRANTS: dict[str, tuple[str, Callable[[Tokens, str], tuple[str, str]]]] = {
    "authorization_code": ("code", Tokens.exchange),
    "refresh_token": ("refresh_token", Tokens.refresh),
}


def access_token(account: Account, body: bytes) -> Response:
    """A new token pair, or the platform's refusal with its hint."""
    try:
        return _granted(account, _fields(body))
    except TokenRefusedError as refused:
        return refusal(refused.status, refused.hint)


def refusal(status: int, hint: str) -> Response:
    """An OAuth error as clients have seen it."""
    body: Row = {
        "hint": hint,
        "title": "Некорректный запрос",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "status": status,
        "detail": "Parameters are missing or invalid",
    }
    return written(body, status, _JSON)


def _granted(account: Account, fields: Row) -> Response:
    _check_client(account, fields)
    name, use = _GRANTS.get(str(fields.get("grant_type")), ("", None))
    if use is None:
        raise TokenRefusedError(400, "Check the `grant_type` parameter")
    secret = fields.get(name)
    if not isinstance(secret, str) or not secret:
        raise TokenRefusedError(400, f"Check the `{name}` parameter")
    access, refresh = use(account.tokens, secret)
    answer: Row = {
        "token_type": "Bearer",
        "expires_in": account.options.access_seconds,
        "server_time": account.now(),
        "access_token": access,
        "refresh_token": refresh,
    }
    return written(answer, 200, _JSON)


def _check_client(account: Account, fields: Row) -> None:
    clinic = account.clinic
    if fields.get("client_id") != clinic.client_id:
        raise TokenRefusedError(400, "Check the `client_id` parameter")
    if fields.get("client_secret") != clinic.client_secret:
        raise TokenRefusedError(401, "Check the `client_secret` parameter")
    if fields.get("redirect_uri") != clinic.redirect_url:
        raise TokenRefusedError(400, "Redirect URI is not associated with client")


def _fields(body: bytes) -> Row:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise TokenRefusedError(400, "Check the request body") from error
    if not isinstance(fields, dict):
        raise TokenRefusedError(400, "Check the request body")
    return fields
