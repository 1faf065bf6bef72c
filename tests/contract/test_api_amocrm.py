"""The amoCRM pass-through over HTTP, row by row (contract 1.5)."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.fixtures.crm_doors import CrmDoors
from tests.fixtures.sandbox import DAY
from tests.fixtures.shapes import shaped

from medai.access.audit import Opened
from medai.calls.models import Step
from medai.kit.ids import call_id
from medai.sandbox.world.models import SimCall

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = (str, None)
NUMBER = (int, None)
LEAD = {
    "id": int,
    "name": str,
    "created_at": int,
    "created_date": str,
    "pipeline_id": NUMBER,
    "status_id": NUMBER,
    "responsible_user_id": NUMBER,
    "price": int,
}
CALL = {
    "note_id": int,
    "call_link": str,
    "download_url": str,
    "created_at": int,
    "created_date": str,
    "direction": str,
    "duration": int,
    "duration_formatted": str,
    "phone": str,
    "signed_url": TEXT,
}
LEAD_CALL = {**CALL, "note_type": str}
CONTACT_CALL = {
    **CALL,
    "id": int,
    "result": str,
    "has_recording": bool,
    "lead_id": NUMBER,
    "lead_name": TEXT,
}
REFUSED = {"success": False, "message": str, "data": (dict, None), "code": str}
NOON = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
NOBODY = 999_999_999

LOOKUPS: list[tuple[str, dict[str, Any]]] = [
    ("/api/amocrm/leads/by-date", {"date": "19.11.2026"}),
    ("/api/amocrm/leads/get", {"lead_id": NOBODY}),
    ("/api/amocrm/lead/contact", {"lead_id": NOBODY}),
    ("/api/amocrm/contact/call-link", {"contact_id": NOBODY}),
    ("/api/amocrm/lead/calls", {"lead_id": NOBODY}),
    ("/api/amocrm/contact/calls", {"contact_id": NOBODY}),
]


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _a_working_crm(crm_doors: CrmDoors) -> AsyncIterator[None]:
    yield
    crm_doors.options(filters="on", recordings_url=None)
    crm_doors.forgive()


def created_on_day(crm_doors: CrmDoors, day: date) -> set[int]:
    """The truth: leads whose creation lies within the business day in Moscow."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=3)
    first, last = start.timestamp(), (start + timedelta(days=1)).timestamp()
    leads = crm_doors.clinic.leads
    return {i for i, lead in leads.items() if first <= int(str(lead["created_at"])) < last}


@pytest.mark.parametrize("filters", ["on", "ignore", "reject"])
async def test_leads_by_date(crm_doors: CrmDoors, filters: str) -> None:
    crm_doors.options(filters=filters)
    body = await crm_doors.ask("/api/amocrm/leads/by-date", date="09.11.2026")

    shaped(body, {"success": True, "message": str, "data": {"date": "09.11.2026"}})
    shaped(body["data"], {"total_leads": int, "leads": [LEAD]})
    found = [lead["id"] for lead in body["data"]["leads"]]
    assert set(found) == created_on_day(crm_doors, date(2026, 11, 9))
    assert len(crm_doors.clinic.leads) > len(found) == body["data"]["total_leads"] > 3
    one = body["data"]["leads"][0]
    local = datetime.fromtimestamp(one["created_at"], UTC) + timedelta(hours=3)
    assert one["created_date"] == f"{local:%d.%m.%Y %H:%M:%S}"
    again = await crm_doors.ask("/api/amocrm/leads/by-date", date="2026-11-09")
    assert again["data"]["leads"] == body["data"]["leads"]


async def test_a_day_without_leads_is_a_success(crm_doors: CrmDoors) -> None:
    body = await crm_doors.ask("/api/amocrm/leads/by-date", date="01.02.2020")
    assert (body["success"], body["data"]["total_leads"], body["data"]["leads"]) == (True, 0, [])


async def test_leads_get(crm_doors: CrmDoors) -> None:
    lead_id = crm_doors.call("leads").entity_id
    body = await crm_doors.ask("/api/amocrm/leads/get", lead_id=lead_id)

    shaped(body, {"success": True, "message": str, "data": {"id": lead_id, "name": str}})
    truth = crm_doors.clinic.leads[lead_id]
    assert body["data"]["custom_fields_values"] == truth["custom_fields_values"]
    assert "contacts" in body["data"]["_embedded"]


async def test_lead_contact(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("contacts")
    lead_id = _lead_of(crm_doors, call.entity_id)
    body = await crm_doors.ask("/api/amocrm/lead/contact", lead_id=lead_id)

    shaped(body, {"success": True, "message": str, "data": {"id": int, "name": str}})
    contacts = crm_doors.clinic.leads[lead_id]["_embedded"]["contacts"]  # type: ignore[index]
    assert body["data"]["id"] in {one["id"] for one in contacts}


async def test_contact_call_link(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("contacts")
    body = await crm_doors.ask("/api/amocrm/contact/call-link", contact_id=call.entity_id)

    shaped(body, {"success": True, "message": str, "data": {"contact_id": call.entity_id}})
    shaped(body["data"], {"call_link": str, "download_url": str, "has_call_link": True})
    assert body["data"]["call_link"] == f"{crm_doors.server.url}/recordings/{call.recording}"
    opened = await crm_doors.owner.get(body["data"]["download_url"])
    assert opened.status_code == 200
    assert opened.content == await _heard(crm_doors, call)


async def test_lead_calls(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("leads")
    body = await crm_doors.ask("/api/amocrm/lead/calls", lead_id=call.entity_id)

    shaped(body, {"success": True, "message": str, "data": {"lead_id": call.entity_id}})
    shaped(
        body["data"],
        {
            "has_call_link": True,
            "calls": [LEAD_CALL],
            "total_calls": len(body["data"]["calls"]),
            "note_types": {str: int},
        },
    )
    newest = body["data"]["calls"][0]
    assert newest["note_id"] == call.note_id
    assert newest["direction"] in ("Входящий", "Исходящий")
    assert (newest["duration"], newest["phone"]) == (call.duration, call.phone)
    assert newest["duration_formatted"] == f"{call.duration // 60}:{call.duration % 60:02d}"
    assert newest["note_type"] in body["data"]["note_types"]
    path = f"/api/amocrm/lead/{call.entity_id}/note/{call.note_id}/download"
    assert newest["download_url"] == f"{path}?client_id={crm_doors.client_id}"


async def test_contact_calls_on_its_own_card(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("contacts")
    body = await crm_doors.ask("/api/amocrm/contact/calls", contact_id=call.entity_id)

    shaped(body, {"success": True, "message": str, "data": {"contact_id": call.entity_id}})
    shaped(body["data"], {"total_calls": len(body["data"]["calls"]), "calls": [CONTACT_CALL]})
    newest = body["data"]["calls"][0]
    assert (newest["id"], newest["note_id"]) == (call.note_id, call.note_id)
    assert (newest["lead_id"], newest["lead_name"], newest["has_recording"]) == (None, None, True)
    assert (await crm_doors.owner.get(newest["download_url"])).status_code == 200


async def test_contact_calls_on_its_leads(crm_doors: CrmDoors) -> None:
    contact_id, lead_id = _contact_with_calls_on_its_lead_only(crm_doors)
    body = await crm_doors.ask("/api/amocrm/contact/calls", contact_id=contact_id)

    shaped(body["data"], {"total_calls": len(body["data"]["calls"]), "calls": [CONTACT_CALL]})
    assert {one["lead_id"] for one in body["data"]["calls"]} == {lead_id}
    assert body["data"]["calls"][0]["lead_name"] == crm_doors.clinic.leads[lead_id]["name"]


@pytest.mark.parametrize(("path", "extra"), LOOKUPS[1:])
async def test_what_the_crm_does_not_have_is_success_false(
    crm_doors: CrmDoors, path: str, extra: dict[str, Any]
) -> None:
    body = await crm_doors.ask(path, **extra)
    shaped(body, REFUSED)
    assert body["code"] == "not_found"
    if path.endswith("call-link"):
        assert body["data"] == {"contact_id": NOBODY, "has_call_link": False}


@pytest.mark.parametrize(("path", "extra"), LOOKUPS)
async def test_a_crm_that_refuses_is_success_false(
    crm_doors: CrmDoors, path: str, extra: dict[str, Any]
) -> None:
    crm_doors.refuse()
    body = await crm_doors.ask(path, **extra)
    shaped(body, REFUSED)
    assert body["code"] == "provider_stopped"
    assert "не оплачена" in body["message"]


@pytest.mark.parametrize(("path", "extra"), LOOKUPS)
async def test_nobody_but_the_clinics_own_key_looks_things_up(
    crm_doors: CrmDoors, path: str, extra: dict[str, Any]
) -> None:
    before = crm_doors.control.bill()["crm_requests"]
    body = {"client_id": crm_doors.client_id, **extra}
    foreign = await crm_doors.neighbour.post(path, json=body)
    unknown = await crm_doors.neighbour.post(path, json={**body, "client_id": "nobody"})
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert (
        foreign.json()["detail"].replace(crm_doors.client_id, "nobody") == unknown.json()["detail"]
    )
    assert (
        await crm_doors.owner.post(path, json={**body, "client_id": "nobody"})
    ).status_code == 404
    assert (await crm_doors.stranger.post(path, json=body)).status_code == 401
    assert (await crm_doors.reader.post(path, json=body)).status_code == 403
    assert crm_doors.control.bill()["crm_requests"] == before


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("leads/by-date", {"date": "31.02.2026"}, 400),
        ("leads/by-date", {"date": "19.11.9999"}, 400),
        ("leads/by-date", {"date": "\x00"}, 400),
        ("leads/by-date", {"date": "1" * 41}, 422),
        ("leads/get", {"lead_id": 0}, 422),
        ("leads/get", {"lead_id": 2**63}, 422),
        ("leads/get", {"lead_id": 2**63 - 1}, 200),
        ("leads/get", {}, 422),
        ("contact/calls", {"contact_id": -1}, 422),
        ("contact/calls", {"contact_id": "x"}, 422),
    ],
)
async def test_senseless_bodies(
    crm_doors: CrmDoors, path: str, body: dict[str, Any], status: int
) -> None:
    answer = await crm_doors.owner.post(
        f"/api/amocrm/{path}", json={"client_id": crm_doors.client_id, **body}
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("client_id", "status"),
    [('"\\u0000"', 404), (f'"{"x" * 101}"', 422), ('"\\ud800"', 422), ('""', 422), ("7", 422)],
)
async def test_senseless_clinics(crm_doors: CrmDoors, client_id: str, status: int) -> None:
    content = f'{{"client_id": {client_id}, "lead_id": 1}}'
    headers = {"Content-Type": "application/json"}
    answer = await crm_doors.owner.post("/api/amocrm/leads/get", content=content, headers=headers)
    assert answer.status_code == status


async def test_recordings_come_from_the_telephony_as_audio(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("leads")
    lead, note, query = call.entity_id, call.note_id, {"client_id": crm_doors.client_id}
    answers = [
        await crm_doors.owner.get(f"/api/amocrm/lead/{lead}/note/{note}/download", params=query),
        await crm_doors.owner.post(f"/api/amocrm/lead/{lead}/download-call", params=query),
        await crm_doors.owner.post(
            f"/api/amocrm/lead/{lead}/download-call", params={**query, "note_id": note}
        ),
        await crm_doors.owner.get(f"/api/amocrm/contact/call/{note}/download", params=query),
    ]
    heard = await _heard(crm_doors, call)
    kind, extension = ("audio/wav", "wav") if heard[:4] == b"RIFF" else ("audio/mpeg", "mp3")
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.content == heard
        assert int(answer.headers["content-length"]) == len(heard)
    names = [answer.headers["content-disposition"] for answer in answers]
    assert f'filename="lead_{lead}_note_{note}.{extension}"' in names[0]
    assert f'filename="call_{note}.{extension}"' in names[3]
    noted = [one async for one in crm_doors.application.access_log.newest(crm_doors.client_id, 4)]
    assert {one.object_id for one in noted} == {call_id(crm_doors.client_id, note)}
    assert {(one.what, one.by) for one in noted} == {(Opened.RECORDING, "владелец")}


async def test_a_stored_recording_needs_neither_crm_nor_telephony(crm_doors: CrmDoors) -> None:
    call = min(
        (c for c in crm_doors.clinic.calls if c.collection == "contacts" and c.recording),
        key=lambda c: abs(c.at - NOON),
    )
    await _store(crm_doors, call)
    crm_doors.options(recordings_url="http://127.0.0.1:9")
    before = crm_doors.control.bill()["crm_requests"]

    answer = await crm_doors.owner.get(
        f"/api/amocrm/contact/call/{call.note_id}/download",
        params={"client_id": crm_doors.client_id},
    )

    assert answer.status_code == 200
    assert answer.content == await _heard(crm_doors, call)
    assert crm_doors.control.bill()["crm_requests"] == before

    path, order = "/api/amocrm/contact/calls", {"contact_id": call.entity_id}
    shown = (await crm_doors.ask(path, **order))["data"]["calls"]
    (signed,) = [one["signed_url"] for one in shown if one["note_id"] == call.note_id]
    opened = await crm_doors.stranger.get(signed)
    assert (opened.status_code, opened.content) == (200, answer.content)


async def test_the_note_of_another_card_is_not_given_out(crm_doors: CrmDoors) -> None:
    call = min(
        (c for c in crm_doors.clinic.calls if c.collection == "leads" and c.recording),
        key=lambda c: abs(c.at - NOON),
    )
    await _store(crm_doors, call)
    another = next(
        c.entity_id
        for c in crm_doors.clinic.calls
        if c.collection == "leads" and c.entity_id != call.entity_id
    )
    path = f"/api/amocrm/lead/{another}/note/{call.note_id}/download"
    assert (
        await crm_doors.owner.get(path, params={"client_id": crm_doors.client_id})
    ).status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("http://169.254.169.254/latest", 422),
        ("http://127.0.0.1:9", 422),
        ("file:///etc", 422),
    ],
)
async def test_no_link_of_the_crm_opens_another_network(
    crm_doors: CrmDoors, address: str, status: int
) -> None:
    call = crm_doors.call("leads")
    crm_doors.options(recordings_url=address)
    answer = await crm_doors.owner.get(
        f"/api/amocrm/contact/call/{call.note_id}/download",
        params={"client_id": crm_doors.client_id},
    )
    assert (answer.status_code, answer.json()["code"]) == (status, "recording_unavailable")


@pytest.mark.parametrize("kind", ["redirect_private", "html_instead_of_audio", "server_error"])
async def test_what_a_recording_host_does_instead_is_not_passed_on(
    crm_doors: CrmDoors, kind: str
) -> None:
    crm_doors.control.fail("recordings", kind)
    answer = await crm_doors.owner.get(
        f"/api/amocrm/contact/call/{crm_doors.call('leads').note_id}/download",
        params={"client_id": crm_doors.client_id},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "recording_unavailable")


async def test_a_page_instead_of_audio_is_not_passed_on(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("leads")
    crm_doors.options(
        recordings_url=f"{crm_doors.server.url}/control/truth?"
    )  # a large JSON, an allowed host
    answer = await crm_doors.owner.get(
        f"/api/amocrm/contact/call/{call.note_id}/download",
        params={"client_id": crm_doors.client_id},
    )
    assert answer.status_code == 422
    assert "clinics" not in answer.text


def _files(call: SimCall) -> list[tuple[str, str]]:
    lead, note = call.entity_id, call.note_id
    return [
        ("GET", f"/api/amocrm/contact/{lead}/download-call"),
        ("GET", f"/api/amocrm/lead/{lead}/note/{note}/download"),
        ("POST", f"/api/amocrm/lead/{lead}/download-call"),
        ("GET", f"/api/amocrm/contact/call/{note}/download"),
    ]


async def test_files_open_to_the_clinics_own_keys_only(crm_doors: CrmDoors) -> None:
    before = crm_doors.control.bill()["crm_requests"]
    query = {"client_id": crm_doors.client_id}
    for method, path in _files(crm_doors.call("leads")):
        foreign = await crm_doors.neighbour.request(method, path, params=query)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        stranger = await crm_doors.stranger.request(method, path, params=query)
        assert stranger.status_code == 401
    assert crm_doors.control.bill()["crm_requests"] == before
    # With its own clinic named, the other key finds nothing of ours in its own CRM either.
    for method, path in _files(crm_doors.call("leads")):
        own = await crm_doors.neighbour.request(
            method, path, params={"client_id": crm_doors.other.client_id}
        )
        assert own.status_code == 404


async def test_files_that_are_not_there_or_refused(crm_doors: CrmDoors) -> None:
    query = {"client_id": crm_doors.client_id}
    for path in (
        f"/api/amocrm/contact/{NOBODY}/download-call",
        f"/api/amocrm/lead/1/note/{NOBODY}/download",
        f"/api/amocrm/contact/call/{NOBODY}/download",
    ):
        assert (await crm_doors.owner.get(path, params=query)).status_code == 404
        assert (await crm_doors.owner.get(path)).status_code == 422
    silent = crm_doors.call("leads", recorded=False)
    path = f"/api/amocrm/contact/call/{silent.note_id}/download"
    assert (await crm_doors.owner.get(path, params=query)).status_code == 404
    crm_doors.refuse()
    refused = await crm_doors.owner.get(f"/api/amocrm/contact/{NOBODY}/download-call", params=query)
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_stopped")


async def test_download_and_transcribe(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("contacts")
    path = f"/api/amocrm/contact/call/{call.note_id}/download-and-transcribe"
    old: dict[str, str | int] = {
        "client_id": crm_doors.client_id,
        "num_speakers": 2,
        "lead_id": 1,
        "contact_id": 2,
    }
    answer = await crm_doors.owner.post(path, params=old)

    assert answer.status_code == 200, answer.text
    body, stored_id = answer.json(), call_id(crm_doors.client_id, call.note_id)
    shaped(body, {"success": True, "message": str, "data": {"note_id": call.note_id}})
    shaped(
        body["data"],
        {
            "call_id": stored_id,
            "lead_id": NUMBER,
            "audio_file": str,
            "transcription_file": str,
            "phone": call.phone,
            "client_name": str,
            "manager_name": str,
            "status": "processing",
            "download_url": str,
            "transcription_url": str,
        },
    )
    wanted = await crm_doors.application.calls.get(stored_id)
    assert wanted is not None
    assert wanted.transcription_requested_at is not None
    assert wanted.run_id == body["data"]["run_id"]
    locks = [f"recording:{stored_id}"]
    assert await crm_doors.application.jobs.present(locks, crm_doors.application.clock()) == set(
        locks
    )


async def test_download_and_transcribe_only_what_is_the_clinics_own(crm_doors: CrmDoors) -> None:
    call = crm_doors.call("contacts")
    path = f"/api/amocrm/contact/call/{call.note_id}/download-and-transcribe"
    query, own = {"client_id": crm_doors.client_id}, {"client_id": crm_doors.other.client_id}
    assert (await crm_doors.neighbour.post(path, params=query)).status_code == 404
    assert (await crm_doors.neighbour.post(path, params=own)).status_code == 404
    assert (await crm_doors.stranger.post(path, params=query)).status_code == 401
    assert (await crm_doors.reader.post(path, params=query)).status_code == 403
    nobody = path.replace(str(call.note_id), str(NOBODY))
    assert (await crm_doors.owner.post(nobody, params=query)).status_code == 404


async def _heard(crm_doors: CrmDoors, call: SimCall) -> bytes:
    """What the recording host itself serves."""
    fetched = await crm_doors.application.note_recordings._fetcher.fetch(
        f"{crm_doors.server.url}/recordings/{call.recording}"
    )
    return fetched.data


async def _store(crm_doors: CrmDoors, call: SimCall) -> None:
    """Fetch the recording as the pipeline does."""
    application, stored_id = crm_doors.application, call_id(crm_doors.client_id, call.note_id)
    asked = {"transcription_requested_at": application.clock()}
    await application.calls.change(stored_id, asked)
    await application.pipeline.run(Step.RECORDING, stored_id)
    stored = await application.calls.get(stored_id)
    assert stored is not None
    assert stored.audio is not None


def _lead_of(crm_doors: CrmDoors, contact_id: int) -> int:
    leads = crm_doors.clinic.contacts[contact_id]["_embedded"]["leads"]  # type: ignore[index]
    return int(leads[0]["id"])


def _contact_with_calls_on_its_lead_only(crm_doors: CrmDoors) -> tuple[int, int]:
    own = {c.entity_id for c in crm_doors.clinic.calls if c.collection == "contacts"}
    with_calls = {
        c.entity_id for c in crm_doors.clinic.calls if c.collection == "leads" and c.recording
    }
    for contact_id, card in crm_doors.clinic.contacts.items():
        lead_ids = {int(one["id"]) for one in card["_embedded"]["leads"]}  # type: ignore[index]
        if contact_id not in own and len(lead_ids & with_calls) == 1 and len(lead_ids) == 1:
            return contact_id, lead_ids.pop()
    raise AssertionError("the world has no such contact")
