"""Scripted faults of the amoCRM simulator over a real connection."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.fixtures.small_crm_server import CrmServer

NOTE = [{"note_type": "common", "params": {"text": "Расшифровка"}}]


@pytest.fixture
async def http(crm_server: CrmServer) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": f"Bearer {crm_server.token}"}
    async with httpx2.AsyncClient(base_url=crm_server.crm, headers=headers) as client:
        yield client


async def written(http: httpx2.AsyncClient) -> int:
    answer = await http.get("/api/v4/leads/501/notes?filter[note_type]=common")
    return 0 if answer.status_code == 204 else len(answer.json()["_embedded"]["notes"])


@pytest.mark.parametrize(
    ("kind", "more", "status", "media_type"),
    [
        ("rate_limit_json", {"seconds": 2.0}, 429, "application/problem+json"),
        ("rate_limit_html", {}, 429, "text/html"),
        ("server_error", {}, 500, "application/problem+json"),
        ("server_error", {"status": 503}, 503, "application/problem+json"),
        ("gateway_html", {}, 502, "text/html"),
        ("gateway_html", {"status": 504}, 504, "text/html"),
        ("forbidden_html", {}, 403, "text/html"),
        ("payment_required", {}, 402, "application/problem+json"),
        ("bad_key", {}, 401, "application/problem+json"),
        ("revoked_token", {}, 401, "application/problem+json"),
        ("html_ok", {}, 200, "text/html"),
    ],
)
async def test_refusals_do_no_work_and_happen_once(
    crm_server: CrmServer, http: httpx2.AsyncClient,
    kind: str, more: dict[str, Any], status: int, media_type: str,
) -> None:  # fmt: skip
    crm_server.control.fail("amocrm", kind, match="POST /amocrm/ulybka", **more)
    answer = await http.post("/api/v4/leads/501/notes", json=NOTE)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["x-request-id"]
    assert await written(http) == 0
    if kind == "rate_limit_json":
        assert answer.json()["retry_after"] == 2.0
    assert (await http.post("/api/v4/leads/501/notes", json=NOTE)).status_code == 200


async def test_lost_answer_after_the_note_was_written(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    crm_server.control.fail("amocrm", "reset_after_commit", match="POST")
    with pytest.raises(httpx2.TransportError):
        await http.post("/api/v4/leads/501/notes", json=NOTE)
    assert await written(http) == 1
    assert crm_server.control.bill()["notes_by_card"] == {"ulybka/leads/501": 1}


async def test_connection_closed_before_any_work(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    crm_server.control.fail("amocrm", "reset", match="POST")
    with pytest.raises(httpx2.TransportError):
        await http.post("/api/v4/leads/501/notes", json=NOTE)
    assert await written(http) == 0


async def test_answer_that_never_comes(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    crm_server.control.fail("amocrm", "timeout", match="POST")
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/api/v4/leads/501/notes", json=NOTE, timeout=0.2)
    assert await written(http) == 1


async def test_slow_answer_is_whole(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    crm_server.control.fail("amocrm", "slow", seconds=0.3, times=2)
    with pytest.raises(httpx2.ReadTimeout):
        await http.get("/api/v4/account", timeout=0.1)
    assert (await http.get("/api/v4/account", timeout=5)).json()["id"] == 42


async def test_broken_json(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    crm_server.control.fail("amocrm", "invalid_json", match="/leads/501/notes")
    answer = await http.post("/api/v4/leads/501/notes", json=NOTE)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert await written(http) == 1


async def test_revoked_refresh_token(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    pair = crm_server.control.post("/amocrm/ulybka/tokens")
    crm_server.control.fail("amocrm", "revoked_token", match="/oauth2/")
    fields = {
        "client_id": "crm-client", "client_secret": "crm-secret", "grant_type": "refresh_token",
        "redirect_uri": "https://clinic.example/oauth", "refresh_token": pair["refresh_token"],
    }  # fmt: skip
    answer = await http.post("/oauth2/access_token", json=fields)
    assert (answer.status_code, answer.json()["hint"]) == (401, "Token has been revoked")
    assert (await http.post("/oauth2/access_token", json=fields)).status_code == 200


async def test_fault_of_one_path_leaves_others_alone(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    crm_server.control.fail("amocrm", "server_error", match="GET /amocrm/ulybka/api/v4/events")
    assert (await http.get("/api/v4/leads")).status_code == 200
    assert (await http.get("/api/v4/events")).status_code == 500


async def test_refused_requests_do_not_use_up_faults(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    crm_server.control.post("/amocrm/ulybka/options", requests_per_second=0)
    crm_server.control.fail("amocrm", "server_error")
    assert (await http.get("/api/v4/leads")).status_code == 429
    assert len(crm_server.control.pending_faults()["amocrm"]) == 1
    assert crm_server.control.bill()["crm_requests"] == 1


async def test_control_of_tokens_and_limits(
    crm_server: CrmServer, http: httpx2.AsyncClient
) -> None:
    control = crm_server.control
    control.post("/amocrm/ulybka/options", requests_per_second=0, ban_after=1, too_many="html")
    assert [(await http.get("/api/v4/account")).status_code for _ in range(2)] == [429, 403]
    control.post("/amocrm/ulybka/options", requests_per_second=None)
    control.post("/amocrm/ulybka/unblock")
    assert (await http.get("/api/v4/account")).status_code == 200
    control.post("/amocrm/ulybka/revoke-access")
    assert (await http.get("/api/v4/account")).status_code == 401
    token = control.post("/amocrm/ulybka/tokens", days=2)["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    assert (await http.get("/api/v4/account")).status_code == 200
    control.advance_clock(2 * 86400)
    assert (await http.get("/api/v4/account")).status_code == 401
    assert control.post("/amocrm/ulybka/code")["code"].startswith("def502")


async def test_control_of_calls(crm_server: CrmServer, http: httpx2.AsyncClient) -> None:
    control = crm_server.control
    call = {"collection": "leads", "note_id": 90000}
    control.post("/amocrm/ulybka/hold-link", **call)
    note = (await http.get("/api/v4/leads/notes/90000")).json()
    assert note["params"]["link"] == ""
    control.post("/amocrm/ulybka/release-link", **call)
    note = (await http.get("/api/v4/leads/notes/90000")).json()
    assert note["params"]["link"] == f"{crm_server.url}/recordings/call-0.mp3"
    copy = control.post("/amocrm/ulybka/duplicate-call", **call)
    assert copy["params"]["uniq"] == note["params"]["uniq"]
    await http.post("/api/v4/leads/501/notes", json=NOTE)
    notes = control.get("/amocrm/ulybka/notes")
    assert [(note["collection"], note["params"]["text"]) for note in notes] == [
        ("leads", "Расшифровка")
    ]
    for path, body in (("release-link", call), ("hold-link", {**call, "note_id": 1})):
        with pytest.raises(httpx2.HTTPStatusError):
            control.post(f"/amocrm/ulybka/{path}", **body)
    assert crm_server.account.notes["leads"].get(90000)
