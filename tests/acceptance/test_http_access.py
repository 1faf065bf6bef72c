"""Who is let in, and how a request that cannot be served is refused."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fixtures.application import API_KEY
from tests.fixtures.service import Doors

DENIED = {"detail": "Invalid or missing API key"}
OPEN = {("GET", "/api/status"), ("GET", "/health/live"), ("GET", "/health/ready")}
METHODS = {"get", "post", "put", "patch", "delete"}
DAYS = {"start_date_str": "19.11.2026", "end_date_str": "19.11.2026"}
PERIOD = {"start_date": "19.11.2026", "end_date": "19.11.2026"}


def _routes(openapi: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in openapi["paths"].items():
        for method in operations.keys() & METHODS:
            yield method.upper(), path


async def test_every_route_but_the_open_ones_asks_for_the_key(doors: Doors) -> None:
    openapi = (await doors.stranger.get("/openapi.json")).json()
    routes = set(_routes(openapi))
    assert routes > OPEN
    assert len(routes) > 15
    wrong = [b"", b"wrong", API_KEY.encode()[:-1], "ключ".encode()]

    for method, template in routes - OPEN:
        path = template.replace("{", "").replace("}", "")
        for headers in ({}, *({b"X-API-Key": key} for key in wrong)):
            answer = await doors.stranger.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()) == (401, DENIED), (method, path)


async def test_open_paths_need_no_key(doors: Doors) -> None:
    for path in (
        "/api/status",
        "/health/live",
        "/health/ready",
        "/docs",
        "/redoc",
        "/openapi.json",
    ):
        assert (await doors.stranger.get(path)).status_code == 200, path
    status = (await doors.stranger.get("/api/status")).json()
    assert status.keys() == {"success", "message", "data"}
    assert status["data"].keys() == {"version"}


async def test_a_foreign_page_reads_the_refusal_and_may_ask_first(doors: Doors) -> None:
    page = {"Origin": "https://front.example"}
    asking = {**page, "Access-Control-Request-Method": "GET"}

    refused = await doors.stranger.get("/api/calls/list", headers=page)
    preflight = await doors.stranger.options("/api/calls/list", headers=asking)

    assert refused.status_code == 401
    assert "access-control-allow-origin" in refused.headers
    assert preflight.status_code == 200
    for answer in (refused, preflight):  # browsers that send cookies read nothing without these
        assert answer.headers["access-control-allow-credentials"] == "true"
    assert preflight.headers["access-control-allow-origin"] == "https://front.example"


async def test_an_unknown_clinic_is_not_found(doors: Doors) -> None:
    owner = doors.owner
    answers = [
        await owner.post("/api/calls-events/export", json={"client_id": "nobody", **PERIOD}),
        await owner.get("/api/calls-events/export-results", params={"client_id": "x", **PERIOD}),
        await owner.post(
            "/api/calls/transcribe-by-date-range", params={"client_id": "nobody", **DAYS}
        ),
        await owner.post("/api/analyze-by-date-range", params={"client_id": "nobody", **DAYS}),
        await owner.post(
            "/api/reports/generate_call_report", json={"clinic_id": "nobody", **PERIOD}
        ),
        await owner.get("/api/reports/generate-excel", params={"clinic_id": "nobody", **PERIOD}),
        await owner.get("/api/calls/download/0123456789abcdef01234567"),
        await owner.get("/api/transcriptions/nobody.txt/download"),
        await owner.get("/api/call/reports/nothing.pdf/download"),
    ]

    for answer in answers:
        assert answer.status_code == 404, answer.request.url
        _check_one_line(answer.json())


@pytest.mark.parametrize("date", ["31.02.2026", "2026-13-01", "завтра", "1.1.26", "' OR 1=1 --"])
async def test_a_malformed_date_is_refused_in_one_line(doors: Doors, date: str) -> None:
    owner = doors.owner
    days = {"start_date_str": date, "end_date_str": "19.11.2026", "client_id": "any"}
    period = {"start_date": date, "end_date": "19.11.2026"}
    answers = [
        await owner.post("/api/calls/transcribe-by-date-range", params=days),
        await owner.get("/api/calls/transcribe-by-date-range-status", params=days),
        await owner.post("/api/analyze-by-date-range", params=days),
        await owner.get("/api/analyze-by-date-range-status", params=days),
        await owner.get("/api/calls/list", params=period),
        await owner.post("/api/reports/generate_call_report", json=period),
        await owner.get("/api/reports/generate-excel", params=period),
    ]

    for answer in answers:
        assert answer.status_code == 400, answer.request.url
        assert date in _check_one_line(answer.json())


@pytest.mark.parametrize(
    "path",
    [
        "/api/call/reports/..%2F..%2Fkeys%2Fsecret.pdf/download",
        "/api/call/reports/%2e%2e%2fsecret.pdf/download",
        "/api/transcriptions/..%2F..%2Fetc%2Fpasswd/download",
        "/api/calls/download/..%2F..%2Fkeys%2Fsecret",
    ],
)
async def test_no_path_leads_out_of_the_files_even_with_the_key(doors: Doors, path: str) -> None:
    assert (await doors.owner.get(path)).status_code == 404
    assert (await doors.stranger.get(path)).status_code == 401


def _check_one_line(body: dict[str, Any]) -> str:
    detail = body["detail"]
    assert isinstance(detail, str)
    assert "\n" not in detail
    assert ":" in detail  # what happened: what to do
    return detail


async def test_what_the_framework_refuses_is_said_in_our_words(doors: Doors) -> None:
    owner, path = doors.owner, "/api/calls-events/export"
    form = {"Content-Type": "multipart/form-data"}
    refused = [
        (await owner.get("/api/nowhere"), 404, "not_found"),
        (await owner.delete("/api/calls/list"), 405, "method_not_allowed"),
        (await owner.post(path, content=b"\xff\xfe{"), 400, "invalid_input"),
        (await owner.post("/api/test/transcribe-and-analyze", content=b"", headers=form), 400,
         "invalid_input"),
    ]  # fmt: skip
    for answer, status, code in refused:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert re.search("[а-я]", answer.json()["detail"])


async def test_a_body_is_json_also_when_nobody_says_so(doors: Doors) -> None:
    """As the replaced system took it: old scripts send no Content-Type."""
    answer = await doors.owner.post("/api/calls-events/export", content=b'{"client_id": "nobody"}')
    assert answer.status_code == 404
