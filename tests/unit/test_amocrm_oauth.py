"""The token endpoint: one body, server time, and every refusal told apart (amocrm.md 1.2-1.3)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from tests.fixtures.amocrm import BASE, NOW, page, problem

from medai.errors import (
    AnswerLostError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.infra.http import open_client
from medai.integrations.amocrm.oauth import OAuthApp, exchange_code, refresh
from medai.integrations.amocrm.token_pair import TokenPair

APP = OAuthApp("id-1", "s3cret", "https://clinic.test/callback")
PAIR = {"token_type": "Bearer", "expires_in": 86400, "server_time": 1_750_000_000,
        "access_token": "a", "refresh_token": "r"}  # fmt: skip

Handler = Callable[[httpx2.Request], httpx2.Response]


async def refreshed(handler: Handler) -> TokenPair:
    async with open_client(transport=httpx2.MockTransport(handler)) as http:
        return await refresh(http, BASE, APP, "old", clock=lambda: NOW)


async def exchanged(handler: Handler) -> TokenPair:
    async with open_client(transport=httpx2.MockTransport(handler)) as http:
        return await exchange_code(http, BASE, APP, "code-1", clock=lambda: NOW)


def hint(text: str, status: int = 400) -> httpx2.Response:
    return httpx2.Response(status, json={"hint": text, "status": status})


def raising(error: Exception) -> Handler:
    def handler(_: httpx2.Request) -> httpx2.Response:
        raise error

    return handler


async def test_refresh_sends_the_redirect_address_and_dates_by_the_server() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=PAIR)

    pair = await refreshed(handler)
    born = datetime.fromtimestamp(1_750_000_000, UTC)
    assert pair == TokenPair("a", "r", born + timedelta(days=1), born)
    assert str(seen[0].url) == f"{BASE}/oauth2/access_token"
    assert json.loads(seen[0].content) == {
        "client_id": "id-1",
        "client_secret": "s3cret",
        "redirect_uri": "https://clinic.test/callback",
        "grant_type": "refresh_token",
        "refresh_token": "old",
    }


async def test_exchange_sends_the_code() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        assert (body["grant_type"], body["code"]) == ("authorization_code", "code-1")
        return httpx2.Response(200, json=PAIR | {"server_time": None})

    assert (await exchanged(handler)).expires_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (hint("Token has been revoked", 401), "заново"),
        (hint("Authorization code has expired"), "20 минут"),
        (hint("Cannot decrypt the authorization code"), "20 минут"),
        (hint("Check the `client_id` parameter"), "client_id"),
        (hint("Check the `client_secret` parameter", 401), "client_secret"),
        (hint("Redirect URI is not associated with client"), "перенаправления"),
        (hint("Invalid account"), "поддомен"),
        (page(400), "заново"),
        (page(404), "заново"),
        (page(403), "заблокировала"),
        (problem(402), "оплатите"),
    ],
)
async def test_refusal_is_final_and_says_what_to_do(answer: httpx2.Response, advice: str) -> None:
    with pytest.raises(ProviderStoppedError, match=advice):
        await refreshed(lambda _: answer)


async def test_limit_and_failure_are_not_final() -> None:
    with pytest.raises(ProviderRateLimitedError):
        await refreshed(lambda _: page(429))
    with pytest.raises(ProviderUnavailableError):
        await refreshed(lambda _: page(502))


async def test_lost_answer_is_retriable_for_a_refresh_but_not_for_a_code() -> None:
    lost = raising(httpx2.ReadTimeout("slow"))
    with pytest.raises(ProviderUnavailableError):
        await refreshed(lost)
    with pytest.raises(AnswerLostError):
        await exchanged(lost)
    with pytest.raises(ProviderUnavailableError):
        await exchanged(raising(httpx2.ConnectError("refused")))


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, html="<html>"),
        httpx2.Response(200, json=PAIR | {"access_token": ""}),
        httpx2.Response(200, json=PAIR | {"refresh_token": None}),
        httpx2.Response(200, json=PAIR | {"expires_in": "скоро"}),
    ],
)
async def test_answer_without_tokens_is_unreadable(answer: httpx2.Response) -> None:
    with pytest.raises(ProviderAnswerError):
        await refreshed(lambda _: answer)


def test_client_secret_stays_out_of_repr() -> None:
    assert "s3cret" not in repr(APP)
