"""People of the bot over HTTP and from the command line."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.application import settings_for
from tests.fixtures.command_line import CommandLine, command_line
from tests.fixtures.key_holder import key_holder
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.service import Doors

from medai.bootstrap import Application, open_application
from medai.cli.demo.scenario import connect
from medai.members.models import Role

ANNA, BORIS = 900_000_001, 900_000_002
MEMBERS, INVITATIONS = "/api/admin/members", "/api/admin/invitations"


async def _clinics(application: Application, sandbox: RunningSandbox) -> tuple[str, str]:
    clinics = sandbox.control.clinics()[:2]
    for clinic in clinics:
        await connect(application, clinic)
    first, second = (str(clinic["client_id"]) for clinic in clinics)
    return first, second


@pytest.fixture
async def clinics(doors: Doors, sandbox: RunningSandbox) -> tuple[str, str]:
    return await _clinics(doors.application, sandbox)


async def test_a_person_is_invited_listed_and_taken_out(
    doors: Doors, clinics: tuple[str, str]
) -> None:
    own, asked = clinics[0], {"client_id": clinics[0]}
    order = {**asked, "role": "administrator", "administrator": "Мария Петрова", "days": 2}
    made = (await doors.owner.post(INVITATIONS, json=order)).json()
    listed = (await doors.owner.get(INVITATIONS, params=asked)).json()["invitations"]
    assert [one.keys() for one in listed] == [made.keys() - {"code", "link"}]
    assert (made["link"], made["created_by"]) == (None, "api:владелец")
    await doors.application.invitations.accept(made["code"], ANNA, "Мария")
    assert (await doors.owner.get(INVITATIONS, params=asked)).json() == {"invitations": []}
    (member,) = (await doors.owner.get(MEMBERS, params=asked)).json()["members"]
    assert member["telegram_id"] == ANNA
    assert (member["name"], member["role"]) == ("Мария", "administrator")
    assert member["administrator"] == "Мария Петрова"
    gone = await doors.owner.delete(f"{MEMBERS}/{ANNA}", params=asked)
    assert gone.status_code == 204
    assert await doors.application.members.member(ANNA) is None
    assert (await doors.owner.delete(f"{MEMBERS}/{ANNA}", params=asked)).status_code == 404
    log = (await doors.owner.get("/api/admin/member-log", params=asked)).json()["entries"]
    assert [one["what"] for one in log] == ["revoked", "joined", "invited"]
    assert {one["by"] for one in log} == {"api:владелец"}
    assert made["code"] not in str(log)
    assert {one["client_id"] for one in log} == {own}


async def test_an_invitation_is_revoked(doors: Doors, clinics: tuple[str, str]) -> None:
    own, foreign = clinics
    made = (await doors.owner.post(INVITATIONS, json={"client_id": own, "role": "owner"})).json()
    path = f"{INVITATIONS}/{made['id']}"
    assert (await doors.owner.delete(path, params={"client_id": foreign})).status_code == 404
    for _ in range(2):
        assert (await doors.owner.delete(path, params={"client_id": own})).status_code == 204
    assert [one async for one in doors.application.invitations.open(own)] == []


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"role": "administrator"}, 400),
        ({"role": "owner", "administrator": "Мария Петрова"}, 400),
        ({"role": "boss"}, 422),
        ({"role": "owner", "days": 0}, 422),
        ({"role": "owner", "code": "mine"}, 422),
        ({"role": "owner", "client_id": "nobody"}, 404),
    ],
)
async def test_a_senseless_invitation_is_not_made(
    doors: Doors, clinics: tuple[str, str], order: dict[str, Any], status: int
) -> None:
    answer = await doors.owner.post(INVITATIONS, json={"client_id": clinics[0], **order})
    assert answer.status_code == status
    assert [one async for one in doors.application.invitations.open(clinics[0])] == []


async def test_a_key_of_one_clinic_reaches_its_people_only(
    doors: Doors, clinics: tuple[str, str]
) -> None:
    own, foreign = clinics
    app = doors.application
    _, code = await app.invitations.create(foreign, Role.OWNER, by="cli")
    await app.invitations.accept(code, BORIS, "Борис")
    waiting, _ = await app.invitations.create(foreign, Role.OWNER, by="cli")
    order = {"client_id": foreign, "role": "owner"}
    async with key_holder(doors, client_ids=[own], may_write=True) as holder:
        for path in (MEMBERS, INVITATIONS, "/api/admin/member-log"):
            assert (await holder.get(path, params={"client_id": own})).status_code == 200
            assert (await holder.get(path, params={"client_id": foreign})).status_code == 404
        assert (await holder.post(INVITATIONS, json=order)).status_code == 404
        for path in (f"{MEMBERS}/{BORIS}", f"{INVITATIONS}/{waiting.id}"):
            for client_id in clinics:
                answer = await holder.delete(path, params={"client_id": client_id})
                assert answer.status_code == 404
        assert (await holder.post(INVITATIONS, json={**order, "client_id": own})).is_success
    async with key_holder(doors, client_ids=[foreign]) as reader:
        assert (await reader.get(MEMBERS, params={"client_id": foreign})).status_code == 200
        assert (await reader.post(INVITATIONS, json=order)).status_code == 403
        path = f"{MEMBERS}/{BORIS}"
        assert (await reader.delete(path, params={"client_id": foreign})).status_code == 403
    assert await app.members.member(BORIS) is not None


@pytest.fixture
async def desk(
    sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> tuple[CommandLine, str]:
    async with open_application(settings_for(sandbox.url, postgres_dsn, tmp_path)) as application:
        client_id, _ = await _clinics(application, sandbox)
    return command_line(sandbox.url, postgres_dsn, tmp_path), client_id


async def test_the_command_line_invites_lists_and_revokes(
    desk: tuple[CommandLine, str], sandbox: RunningSandbox, postgres_dsn: str, tmp_path: Path
) -> None:
    medai, clinic = desk
    at = ("--clinic", clinic)
    made = await medai.run(
        *("members", "invite", *at, "--role", "administrator"),
        *("--administrator", "Мария Петрова"),
        BOT_NAME="clinic_bot",
    )
    code = re.findall(r"^[0-9a-f]{32}$", made.out, re.MULTILINE)[0]
    assert f"https://t.me/clinic_bot?start={code}\n" in made.out
    assert "администратор Мария Петрова; действует до " in made.out
    async with open_application(settings_for(sandbox.url, postgres_dsn, tmp_path)) as application:
        await application.invitations.accept(code, ANNA, "Мария [bold]")
        waiting, _ = await application.invitations.create(clinic, Role.OWNER, by="api:ключ")
    opened = (await medai.run("members", "invitations", *at)).out
    assert opened.startswith(f"{waiting.id}  владелец; выдал api:ключ; действует до ")
    assert len(opened.splitlines()) == 1
    assert "отозвано" in (await medai.run("members", "withdraw", waiting.id)).out
    people = (await medai.run("members", "list")).out
    assert f"  {ANNA}  Мария [bold]: администратор Мария Петрова; пригласил cli\n" in people
    assert "исключён" in (await medai.run("members", "revoke", str(ANNA), *at)).out
    again = await medai.run("members", "revoke", str(ANNA), *at)
    assert (again.code, again.one_line()) == (
        3, "Ошибка: Такого человека в клинике нет: проверьте его номер в medai members list"
    )  # fmt: skip
    log = (await medai.run("members", "log", *at)).out.splitlines()
    assert [line.partition("  ")[2] for line in log] == [
        f"исключён {ANNA}: администратор Мария Петрова; cli",
        "приглашение отозвано: владелец; cli",
        "приглашение выдано: владелец; api:ключ",
        f"вошёл по приглашению {ANNA}: администратор Мария Петрова; cli",
        "приглашение выдано: администратор Мария Петрова; cli",
    ]
