"""A key of one clinic learns nothing about another, whatever route it asks and however it asks.

The routes come from the description itself, so a route that is added later is asked too; a
parameter or field nobody has given a foreign value here makes the test fail.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from tests.fixtures.application import process_day, settings_for
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import doors_of
from tests.fixtures.stores import empty_database

from medai.api.app import described
from medai.bootstrap import Application, open_application
from medai.calls.models import Call
from medai.cli.demo.scenario import connect
from medai.kit.days import DayRange
from medai.members.models import Role
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

TODAY = DayRange(DAY, DAY)
REFUSED = {400, 403, 404, 409, 422}
OPEN = {"/api/status", "/health/live", "/health/ready"}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Foreign:
    """What belongs to the other clinic: values to ask with, words that must never come out."""

    values: dict[str, Any]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a writing key of the first clinic."""

    client: httpx2.AsyncClient
    foreign: Foreign


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(
    sandbox_world: World,
    sandbox_audio: AudioStore,
    postgres_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Holder]:
    with (
        SandboxServer(sandbox_world, sandbox_audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
    ):
        settings = settings_for(
            server.url, dsn, tmp_path_factory.mktemp("data"),
            api_requests_per_minute=0, api_longest_wait_seconds=1,
        )  # fmt: skip
        own, other = control.clinics()[:2]
        async with open_application(settings) as app, doors_of(app) as doors:
            for clinic in (own, other):
                await connect(app, clinic)
            await process_day(app, [own, other], DAY)
            foreign = await _foreign(app, str(other["client_id"]))
            _, key = await app.keys.create(
                "своя клиника", [str(own["client_id"])], may_write=True, by="test"
            )
            doors.stranger.headers["X-API-Key"] = key
            yield Holder(doors.stranger, foreign)


async def _foreign(app: Application, client_id: str) -> Foreign:
    clinic = await app.clinics.require(client_id)
    calls = [call async for call in app.calls.of_days(client_id, TODAY)]
    analysed = [call for call in calls if call.analysis and call.transcript]
    report = (await app.reports.generate_pdf(client_id, TODAY)).rpartition("/")[2]
    run_id = await app.asked.sync(client_id, DAY.isoformat(), DAY.isoformat())
    call = analysed[0]
    invitation, _ = await app.invitations.create(client_id, Role.OWNER, by="test")
    _, code = await app.invitations.create(client_id, Role.OWNER, by="test")
    await app.invitations.accept(code, 900_000_001, "Чужой владелец")
    (shift, *_) = await app.work_schedule.listed(client_id, None, None)
    day = DAY.strftime("%d.%m.%Y")
    values = {
        "client_id": client_id, "clinic_id": client_id, "call_id": call.id, "run_id": run_id,
        "task_id": run_id, "item_id": call.id, "key_id": call.id, "id": call.id,
        "telegram_id": 900_000_001, "invitation_id": invitation.id,
        "schedule_id": shift.id, "filename": _files(call, report),
        "audio_filename": f"{call.id}.wav",
        "note_id": call.note_id, "note": call.note_id, "lead_id": call.lead_id or 1,
        "lead": call.lead_id or 1, "contact_id": call.contact_id or 1,
        "start_date": day, "end_date": day, "start_date_str": day, "end_date_str": day,
        "date": day, "date_from": DAY.isoformat(), "date_to": DAY.isoformat(),
        "dates": [DAY.isoformat()], "year": DAY.year, "month": DAY.month,
    }  # fmt: skip
    words = {one.id for one in calls} | {clinic.name, clinic.id}
    words |= {"Чужой владелец", invitation.id}
    words |= {one.transcript.filename for one in analysed if one.transcript}
    words |= {one.recording_url for one in calls if one.recording_url}
    return Foreign(values, frozenset(words))


def _files(call: Call, report: str) -> list[str]:
    transcript = call.transcript.filename if call.transcript else ""
    return [transcript, report, f"{call.id}_analysis.txt"]


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in described()["paths"].items():
        for method in _METHODS:
            if method in operations and path not in OPEN:
                yield method, path, operations[method]


def _body(operation: dict[str, Any], values: dict[str, Any]) -> dict[str, Any] | None:
    """The operation's JSON body with foreign values, or None when it takes none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    while "$ref" in schema:
        schema = described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    named = schema.get("properties", {})
    examples = {name: one["examples"][0] for name, one in named.items() if one.get("examples")}
    return {name: values.get(name, examples.get(name)) for name in named
            if name in values or name in examples}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    list(_operations()),
    ids=[f"{method} {path}" for method, path, _ in _operations()],
)
async def test_a_foreign_clinic_stays_unknown(
    holder: Holder, method: str, path: str, operation: dict[str, Any]
) -> None:
    values = holder.foreign.values
    places = {one["name"]: one["in"] for one in operation.get("parameters", [])}
    names = values["filename"] if "filename" in places else [None]
    for name in names:
        chosen = {**values, "filename": name}
        inside = {one: chosen[one] for one, place in places.items() if place == "path"}
        asked = {one: chosen[one] for one, place in places.items()
                 if place == "query" and one in chosen}  # fmt: skip
        answer = await holder.client.request(
            method.upper(), path.format(**inside), params=asked, json=_body(operation, chosen)
        )
        told = {word for word in holder.foreign.words if word in answer.text}
        assert not told, (answer.status_code, told)
        if {"client_id", "clinic_id", "call_id", "filename", "run_id"} & (
            inside.keys() | asked.keys()
        ):
            assert answer.status_code in REFUSED, answer.text


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [one for one in _operations() if one[0] == "get" and "{" not in one[1]],
    ids=[path for method, path, _ in _operations() if method == "get" and "{" not in path],
)
async def test_without_a_clinic_the_own_one_is_meant(
    holder: Holder, method: str, path: str, operation: dict[str, Any]
) -> None:
    values = holder.foreign.values
    asked = {
        one["name"]: values[one["name"]]
        for one in operation.get("parameters", [])
        if one["in"] == "query" and one["name"] in values
        and one["name"] not in ("client_id", "clinic_id", "note_id")
    }  # fmt: skip
    answer = await holder.client.get(path, params=asked)
    assert not {word for word in holder.foreign.words if word in answer.text}
