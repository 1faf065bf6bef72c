"""The token endpoint (amocrm.md 1.2-1.3)."""

from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
import structlog

from medai.errors import (
    AnswerLostError,
    ProviderAnswerError,
    ProviderError,
    ProviderRateLimitedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.infra import measures
from medai.kit.clock import Clock, utc_now

from .failures import PROVIDER, AccountStoppedError, failure, json_body, request_id
from .models.lenient import JsonObject, integer, moment, text
from .token_pair import TokenPair

logger = structlog.get_logger(__name__)

_REAUTHORISE = "amoCRM не обновила доступ: подключите аккаунт клиники заново"
_HINTS = {
    "authorization code": "Код подключения amoCRM использован или старше 20 минут: получите новый",
    "client_id": "amoCRM не знает такую интеграцию: проверьте client_id клиники",
    "client_secret": "amoCRM не приняла секретный ключ: проверьте client_secret клиники",
    "redirect uri": "Адрес перенаправления не тот, что в интеграции amoCRM: исправьте его",
    "invalid account": "amoCRM не знает такой аккаунт: проверьте поддомен клиники",
}


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The clinic's integration. `redirect_url` must equal the one in its settings exactly."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str


async def exchange_code(
    http: httpx2.AsyncClient, base_url: str, app: OAuthApp, code: str, *, clock: Clock = utc_now
) -> TokenPair:
    """Trade a fresh authorisation code (20 minutes, one use) for a pair.

    Raises ProviderStoppedError for any 4xx but 429, AnswerLostError when the code may be spent.
    """
    grant = {"grant_type": "authorization_code", "code": code}
    return await _granted(http, base_url, app, grant, clock)


async def refresh(
    http: httpx2.AsyncClient,
    base_url: str,
    app: OAuthApp,
    refresh_token: str,
    *,
    clock: Clock = utc_now,
) -> TokenPair:
    """Trade a refresh token (three months, one use) for a new pair that replaces it.

    Raises ProviderStoppedError for any 4xx but 429 (authorise again), ProviderRateLimitedError,
    and ProviderUnavailableError for 5xx, network failures and lost answers: the same token may
    then be tried again, since there is nothing else to try.
    """
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    try:
        return await _granted(http, base_url, app, grant, clock)
    except AnswerLostError as error:
        raise ProviderUnavailableError(PROVIDER, error.message, status=error.status) from error


async def _granted(
    http: httpx2.AsyncClient, base_url: str, app: OAuthApp, grant: dict[str, str], clock: Clock
) -> TokenPair:
    body = grant | {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_url,
    }
    with measures.provider_request(PROVIDER):
        response = await _posted(http, f"{base_url.rstrip('/')}/oauth2/access_token", body)
        logger.info("amocrm_token_endpoint", status=response.status_code, id=request_id(response))
        if response.status_code != httpx2.codes.OK:
            raise _refusal(response)
        return _pair(json_body(response), clock)


async def _posted(http: httpx2.AsyncClient, url: str, body: dict[str, str]) -> httpx2.Response:
    try:
        return await http.post(url, json=body)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        message = "Нет связи с amoCRM: повтор произойдёт сам"
        raise ProviderUnavailableError(PROVIDER, message) from error
    except httpx2.RequestError as error:
        message = "Ответ amoCRM при обновлении доступа потерян: повторите подключение"
        raise AnswerLostError(PROVIDER, message) from error


def _refusal(response: httpx2.Response) -> ProviderError:
    error = failure(response)
    if isinstance(error, ProviderRateLimitedError | ProviderUnavailableError | AccountStoppedError):
        return error
    hint = text(json_body(response).get("hint")).lower()
    message = next((known for mark, known in _HINTS.items() if mark in hint), _REAUTHORISE)
    return ProviderStoppedError(PROVIDER, message, status=error.status, request_id=error.request_id)


def _pair(body: JsonObject, clock: Clock) -> TokenPair:
    access, new_refresh = text(body.get("access_token")), text(body.get("refresh_token"))
    life = integer(body.get("expires_in"))
    if not access or not new_refresh or not life or life < 0:
        raise ProviderAnswerError(PROVIDER, "amoCRM прислала непонятный ответ вместо токенов")
    # The server's clock decides when the token ends, so it also dates the beginning.
    issued_at = moment(body.get("server_time")) or clock()
    return TokenPair(access, new_refresh, issued_at + timedelta(seconds=life), issued_at)
