"""Named keys: made, scoped to clinics, to reading or writing, paced, revoked at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.command_line import command_line
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.service import Doors, doors_of

from medai.bootstrap import open_application
from medai.cli.demo.scenario import connect

DENIED = {"detail": "Invalid or missing API key"}
EXPORT = {"start_date": "19.11.2026", "end_date": "19.11.2026"}


async def _two_clinics(doors: Doors, sandbox: RunningSandbox) -> tuple[str, str]:
    clinics = sandbox.control.clinics()[:2]
    for clinic in clinics:
        await connect(doors.application, clinic)
    first, second = (str(clinic["client_id"]) for clinic in clinics)
    return first, second


async def _key(doors: Doors, **order: Any) -> dict[str, Any]:
    answer = await doors.owner.post("/api/admin/keys", json={"name": "ключ", **order})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


@asynccontextmanager
async def _holder(doors: Doors, key: str) -> AsyncIterator[httpx2.AsyncClient]:
    transport = doors.stranger._transport
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://testserver", headers={"X-API-Key": key}
    ) as client:
        yield client


async def test_a_reading_key_reads_and_starts_nothing(
    doors: Doors, sandbox: RunningSandbox
) -> None:
    first, _ = await _two_clinics(doors, sandbox)
    made = await _key(doors)
    async with _holder(doors, made["key"]) as reader:
        assert (await reader.get("/api/calls/list")).status_code == 200
        started = await reader.post("/api/calls-events/export", json={"client_id": first, **EXPORT})
        assert (started.status_code, started.json()["code"]) == (403, "forbidden")
    assert await doors.application.run_book.newest() == []


async def test_measures_of_the_installation_need_a_key_of_all_clinics(
    doors: Doors, sandbox: RunningSandbox
) -> None:
    own, _ = await _two_clinics(doors, sandbox)
    limited, reading = await _key(doors, client_ids=[own], may_write=True), await _key(doors)
    async with _holder(doors, limited["key"]) as one, _holder(doors, reading["key"]) as every:
        assert (await one.get("/metrics")).status_code == 403
        assert (await every.get("/metrics")).status_code == 200


async def test_a_key_of_one_clinic_knows_no_other(doors: Doors, sandbox: RunningSandbox) -> None:
    own, foreign = await _two_clinics(doors, sandbox)
    made = await _key(doors, client_ids=[own], may_write=True)
    async with _holder(doors, made["key"]) as holder:
        path = "/api/calls-events/export"
        good = await holder.post(path, json={"client_id": own, **EXPORT})
        bad = await holder.post(path, json={"client_id": foreign, **EXPORT})
        unknown = await holder.post(path, json={"client_id": "nobody", **EXPORT})
        assert good.status_code == 200
        # Not even whether the clinic exists can be told.
        assert (bad.status_code, unknown.status_code) == (404, 404)
        assert bad.json()["detail"].replace(foreign, "nobody") == unknown.json()["detail"]
        for path in ("/api/admin/keys", "/api/admin/access-log"):
            assert (await holder.get(path)).status_code == 403


async def test_a_revoked_key_opens_nothing_from_that_moment(doors: Doors) -> None:
    made = await _key(doors)
    async with _holder(doors, made["key"]) as holder:
        assert (await holder.get("/api/calls/list")).status_code == 200
        for _ in range(2):
            revoked = await doors.owner.delete(f"/api/admin/keys/{made['id']}")
            assert revoked.status_code == 204
        refused = await holder.get("/api/calls/list")
        assert (refused.status_code, refused.json()) == (401, DENIED)
    assert (await doors.owner.delete("/api/admin/keys/unknown")).status_code == 404


async def test_the_text_of_a_key_is_shown_once_and_never_stored(doors: Doors) -> None:
    made = await _key(doors)
    listed = (await doors.owner.get("/api/admin/keys")).json()["keys"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert listed[0].keys() == made.keys() - {"key"}
    stored = [key async for key in doors.application.keys.all()]
    assert made["key"] not in repr(stored)
    assert made["key"].removeprefix("medai_") not in repr(stored)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"name": " "}, 400),
        ({"name": "x" * 81}, 422),
        ({"client_ids": []}, 400),
        ({"client_ids": ["nobody"]}, 404),
        ({"admin": True}, 422),
    ],
)
async def test_a_senseless_key_is_not_made(
    doors: Doors, order: dict[str, Any], status: int
) -> None:
    answer = await doors.owner.post("/api/admin/keys", json={"name": "ключ", **order})
    assert answer.status_code == status
    assert [key async for key in doors.application.keys.all()] == []


async def test_who_asks_too_fast_waits_and_nobody_else_does(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, postgres_dsn, tmp_path, api_requests_per_minute=5)
    async with open_application(settings) as application, doors_of(application) as doors:
        answers = [await doors.owner.get("/api/calls/list") for _ in range(7)]
        guesses = [await doors.stranger.get("/api/calls/list") for _ in range(7)]
        assert (await doors.stranger.get("/api/status")).status_code == 200
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert [answer.status_code for answer in guesses] == [401] * 5 + [429] * 2


async def test_who_guesses_takes_no_turns_of_links(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    settings = settings_for(sandbox.url, postgres_dsn, tmp_path, api_requests_per_minute=5)
    async with open_application(settings) as application, doors_of(application) as doors:
        for _ in range(6):
            guess = await doors.stranger.get("/api/calls/list")
        link = application.links.report_url("report.pdf", application.clock())
        answer = await doors.stranger.get(link)
    assert guess.status_code == 429
    assert answer.status_code == 404  # let in: there is no such report


async def test_a_body_over_the_cap_is_refused_announced_or_not(doors: Doors) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    for content in (b" " * (2 * 1024 * 1024), endless()):
        answer = await doors.owner.post(
            "/api/admin/keys", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413
        assert "слишком велик" in answer.json()["detail"]


async def test_the_command_line_makes_lists_and_revokes(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    medai = command_line(sandbox.url, postgres_dsn, tmp_path)
    assert "выданных ключей нет" in (await medai.run("keys", "list")).out
    made = (await medai.run("keys", "create", "Бухгалтерия", "--write")).out
    key_id = made.partition("ключ ")[2].partition(":")[0]
    assert made.count("medai_") == 1
    listed = (await medai.run("keys", "list")).out
    assert f"{key_id}  Бухгалтерия: все клиники; чтение и запись; действует" in listed
    assert "medai_" not in listed
    assert "ключ отозван" in (await medai.run("keys", "revoke", key_id)).out
    assert "отозван " in (await medai.run("keys", "list")).out
