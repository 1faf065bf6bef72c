"""Tokens, limits and bans of the amoCRM simulator (amocrm.md 1, 2)."""

import base64
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.fixtures.small_crm import SmallCrm

CLIENT = {
    "client_id": "crm-client",
    "client_secret": "crm-secret",
    "redirect_uri": "https://clinic.example/oauth",
}


async def ask(small: SmallCrm, **fields: str) -> httpx2.Response:
    return await small.http.post("/oauth2/access_token", json={**CLIENT, **fields})


async def exchange(small: SmallCrm, code: str = "def502-code", **fields: str) -> httpx2.Response:
    return await ask(small, grant_type="authorization_code", code=code, **fields)


async def refresh(small: SmallCrm, token: str) -> httpx2.Response:
    return await ask(small, grant_type="refresh_token", refresh_token=token)


async def works(small: SmallCrm, token: str) -> bool:
    answer = await small.http.get("/api/v4/account", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"] == "Unauthorized"
    return answer.status_code == 200


def refused(answer: httpx2.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].endswith("OAuthProblemJson")
    return answer.status_code, body["hint"]


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return decoded


async def test_code_gives_a_pair_once(small_crm: SmallCrm) -> None:
    body = (await exchange(small_crm)).json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 86400
    assert body["server_time"] == small_crm.account.now()
    assert claims(body["access_token"])["exp"] == body["server_time"] + 86400
    assert claims(body["access_token"])["account_id"] == 42
    assert await works(small_crm, body["access_token"])
    assert refused(await exchange(small_crm)) == (400, "Authorization code has been revoked")


async def test_code_ages_in_twenty_minutes(small_crm: SmallCrm) -> None:
    small_crm.hands.now += timedelta(minutes=20, seconds=1)
    assert refused(await exchange(small_crm)) == (400, "Authorization code has expired")
    small_crm.account.options.code_seconds = None
    assert (await exchange(small_crm)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"code": "nonsense"}, (400, "Cannot decrypt the authorization code")),
        ({"client_id": "other"}, (400, "Check the `client_id` parameter")),
        ({"client_secret": "other"}, (401, "Check the `client_secret` parameter")),
        ({"redirect_uri": "https://clinic.example/oauth/"},
         (400, "Redirect URI is not associated with client")),
        ({"grant_type": "password"}, (400, "Check the `grant_type` parameter")),
    ],
)  # fmt: skip
async def test_wrong_fields_are_named(
    small_crm: SmallCrm, fields: dict[str, str], refusal: tuple[int, str]
) -> None:
    asked = {"grant_type": "authorization_code", "code": "def502-code", **fields}
    assert refused(await ask(small_crm, **asked)) == refusal
    assert (await exchange(small_crm)).status_code == 200


async def test_refresh_token_rotates_and_dies(small_crm: SmallCrm) -> None:
    first = (await exchange(small_crm)).json()
    second = (await refresh(small_crm, first["refresh_token"])).json()
    assert await works(small_crm, second["access_token"])
    assert await works(small_crm, first["access_token"])
    reused = await refresh(small_crm, first["refresh_token"])
    assert refused(reused) == (401, "Token has been revoked")
    assert (await refresh(small_crm, second["refresh_token"])).status_code == 200
    assert small_crm.account.tokens.live_refresh_tokens == 1


async def test_tokens_end_with_their_time(small_crm: SmallCrm) -> None:
    small_crm.account.options.access_seconds = 60
    pair = (await exchange(small_crm)).json()
    assert pair["expires_in"] == 60
    small_crm.hands.now += timedelta(seconds=59)
    assert await works(small_crm, pair["access_token"])
    small_crm.hands.now += timedelta(seconds=1)
    assert not await works(small_crm, pair["access_token"])
    small_crm.hands.now += timedelta(days=90)
    assert refused(await refresh(small_crm, pair["refresh_token"]))[0] == 401


async def test_tokens_can_be_revoked(small_crm: SmallCrm) -> None:
    access, renewal = small_crm.account.tokens.issue_pair()
    small_crm.account.tokens.revoke_access()
    assert not await works(small_crm, access)
    assert not await works(small_crm, "long-lived")
    renewed = (await refresh(small_crm, renewal)).json()
    small_crm.account.tokens.revoke_all()
    assert not await works(small_crm, renewed["access_token"])
    assert (await refresh(small_crm, renewed["refresh_token"])).status_code == 401


async def test_requests_without_a_good_token_are_refused(small_crm: SmallCrm) -> None:
    for header in ("Bearer wrong", "Basic long-lived", "", "long-lived"):
        answer = await small_crm.http.get("/api/v4/leads", headers={"Authorization": header})
        assert answer.status_code == 401


async def test_unknown_account(small_crm: SmallCrm) -> None:
    url = "http://crm.test/amocrm/nobody"
    answer = await small_crm.http.get(f"{url}/api/v4/leads")
    assert (answer.status_code, answer.json()["code"]) == (401, 101)
    answer = await small_crm.http.post(f"{url}/oauth2/access_token", json=CLIENT)
    assert refused(answer) == (400, "Invalid account")


async def statuses(small: SmallCrm, count: int, token: str = "") -> list[int]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answers = [await small.http.get("/api/v4/account", headers=headers) for _ in range(count)]
    return [answer.status_code for answer in answers]


async def test_eighth_request_of_a_second_is_refused(small_crm: SmallCrm) -> None:
    small_crm.account.options.requests_per_second = 7
    assert await statuses(small_crm, 8) == [200] * 7 + [429]
    small_crm.hands.monotonic += 0.99
    assert await statuses(small_crm, 1) == [429]
    small_crm.hands.monotonic += 0.01
    assert await statuses(small_crm, 8) == [200] * 7 + [429]


async def test_window_slides(small_crm: SmallCrm) -> None:
    small_crm.account.options.requests_per_second = 7
    assert await statuses(small_crm, 4) == [200] * 4
    small_crm.hands.monotonic += 0.6
    assert await statuses(small_crm, 3) == [200] * 3
    small_crm.hands.monotonic += 0.5
    assert await statuses(small_crm, 5) == [200] * 4 + [429]


async def test_tokens_of_one_integration_share_its_limit(small_crm: SmallCrm) -> None:
    small_crm.account.options.requests_per_second = 7
    second = small_crm.account.tokens.issue_long_lived()
    assert await statuses(small_crm, 4) == [200] * 4
    assert await statuses(small_crm, 4, second) == [200] * 3 + [429]


async def test_account_has_a_limit_of_its_own(small_crm: SmallCrm) -> None:
    small_crm.account.options.account_requests_per_second = 5
    assert await statuses(small_crm, 6) == [200] * 5 + [429]


async def test_forms_of_429(small_crm: SmallCrm) -> None:
    small_crm.account.options.requests_per_second = 0
    answer = await small_crm.http.get("/api/v4/account")
    assert answer.json()["retry_after"] == 300
    assert answer.json()["type"] == "https://httpstatus.es/429"
    small_crm.account.options.too_many = "html"
    answer = await small_crm.http.get("/api/v4/account")
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith("text/html")
    assert "retry-after" not in answer.headers


async def test_hammering_closes_the_account_until_support_opens_it(small_crm: SmallCrm) -> None:
    options = small_crm.account.options
    options.requests_per_second, options.ban_after = 1, 3
    assert await statuses(small_crm, 4) == [200, 429, 429, 429]
    small_crm.hands.monotonic += 3600
    blocked = await small_crm.http.get("/api/v4/account")
    assert blocked.status_code == 403
    assert "403 Forbidden" in blocked.text
    assert blocked.headers["content-type"].startswith("text/html")
    assert (await exchange(small_crm)).status_code == 403
    small_crm.account.limiter.reset()
    assert await statuses(small_crm, 1) == [200]


async def test_refusals_far_apart_do_not_close_the_account(small_crm: SmallCrm) -> None:
    options = small_crm.account.options
    options.requests_per_second, options.ban_after, options.ban_window = 0, 2, 60
    assert await statuses(small_crm, 1) == [429]
    small_crm.hands.monotonic += 61
    assert await statuses(small_crm, 1) == [429]
    assert await statuses(small_crm, 2) == [429, 403]


async def test_every_request_is_in_the_ledger_by_template(small_crm: SmallCrm) -> None:
    small_crm.account.options.requests_per_second = 3
    await small_crm.get("/leads/501?with=contacts")
    await small_crm.get("/contacts/notes/90001")
    await exchange(small_crm)
    await small_crm.http.get("/api/v4/leads")
    assert [
        (request.method, request.path) for request in small_crm.ledger.crm_requests("ulybka")
    ] == [
        ("GET", "/api/v4/leads/{id}"),
        ("GET", "/api/v4/contacts/notes/{note}"),
        ("POST", "/oauth2/access_token"),
        ("GET", "/api/v4/leads"),
    ]


async def test_reset_brings_everything_back(small_crm: SmallCrm) -> None:
    await exchange(small_crm)
    small_crm.account.options.filters = "ignore"
    small_crm.account.notes["leads"].hold_link(90000)
    small_crm.crm.reset()
    assert (await exchange(small_crm)).status_code == 200
    restored = small_crm.account.options
    assert restored.filters == "on"
    assert (small_crm.account.notes["leads"].get(90000) or {})["params"]["link"]
