"""The amoCRM event log and the comparison over HTTP, row by row (contract 1.5)."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.fixtures.crm_doors import CrmDoors
from tests.fixtures.sandbox import DAY
from tests.fixtures.service import doors_of, polled, working
from tests.fixtures.shapes import shaped

from medai.bootstrap import open_application
from medai.calls.repository import CALLS
from medai.kit.ids import call_id
from medai.sandbox.amocrm.account import Account
from medai.sandbox.world.models import SimCall

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "/api/admin/amocrm/events"
STATS = "/api/admin/amocrm/events/stats"
ALL_CALLS = "/api/admin/amocrm/all-calls"
CHECK = "/api/admin/check-amocrm-calls"
DATES = {"start_date": "19.11.2026", "end_date": "2026-11-19"}
CALL_INFO = {
    "duration": int,
    "duration_formatted": str,
    "phone": str,
    "link": (str, None),
    "status": (int, None),
    "call_result": str,
    "call_status": (int, None),
}
EVENT = {
    "id": str,
    "type": str,
    "entity_id": int,
    "entity_type": str,
    "created_at": int,
    "created_date": str,
    "value_after": (list, dict, None),
    "value_before": (list, dict, None),
}
CALL_TYPES = {"inbound": "incoming_call", "outbound": "outgoing_call"}


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _a_working_crm(crm_doors: CrmDoors) -> AsyncIterator[None]:
    yield
    crm_doors.forgive()


def calls_of_day(crm_doors: CrmDoors) -> list[SimCall]:
    """The truth: calls of the business day in Moscow, newest first."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - timedelta(hours=3)
    found = [c for c in crm_doors.clinic.calls if start <= c.at < start + timedelta(days=1)]
    return sorted(found, key=lambda call: call.at, reverse=True)


async def test_events(crm_doors: CrmDoors) -> None:
    body = await crm_doors.ask(EVENTS, event_type="incoming_call", **DATES, limit=5)

    shaped(body, {"success": True, "message": str, "data": {"total": 5, "events": [EVENT]}})
    shaped(body["data"], {"_links": dict, "_page": int})
    shaped([one["call_info"] for one in body["data"]["events"]], [CALL_INFO])
    truth = [call for call in calls_of_day(crm_doors) if call.direction == "inbound"][:5]
    shown = body["data"]["events"]
    assert [one["id"] for one in shown] == [call.event_id for call in truth]
    assert [one["call_info"]["phone"] for one in shown] == [call.phone for call in truth]
    assert [one["call_info"]["duration"] for one in shown] == [call.duration for call in truth]
    local = truth[0].at + timedelta(hours=3)
    assert shown[0]["created_date"] == f"{local:%d.%m.%Y %H:%M:%S}"
    assert shown[0]["value_after"] == [{"note": {"id": truth[0].note_id}}]


async def test_events_of_all_types_need_no_dates(crm_doors: CrmDoors) -> None:
    body = await crm_doors.ask(EVENTS)
    times = [one["created_at"] for one in body["data"]["events"]]
    assert body["data"]["total"] == len(times) == 50
    assert times == sorted(times, reverse=True)
    kinds = {one["type"] for one in body["data"]["events"]}
    assert "lead_status_changed" in kinds
    many = await crm_doors.ask(EVENTS, limit=250, start_date="02.10.2026")
    log = len(crm_doors.clinic.calls) + len(crm_doors.clinic.events)
    assert many["data"]["total"] == min(250, log)
    none = await crm_doors.ask(EVENTS, event_type="incoming_chat_message", **DATES)
    assert (none["success"], none["data"]["events"]) == (True, [])


async def test_events_stats(crm_doors: CrmDoors) -> None:
    body = await crm_doors.ask(STATS, **DATES)

    shaped(body, {"success": True, "message": str, "data": {"total_events": int}})
    data, truth = body["data"], calls_of_day(crm_doors)
    shaped(data, {"event_types": {str: int}, "entity_stats": {"total_leads": int}})
    kinds = Counter(CALL_TYPES[call.direction] for call in truth)
    lengths = [call.duration for call in truth]
    uniq = Counter(call.uniq for call in truth if call.uniq)
    shaped(
        data["call_stats"],
        {
            **kinds,
            "total_calls": len(truth),
            "total_duration": sum(lengths),
            "avg_duration": sum(lengths) / len(truth),
            "avg_duration_formatted": str,
            "calls_with_recording": sum(bool(c.recording or c.link) for c in truth),
            "zero_duration_calls": lengths.count(0),
            "duplicate_calls": sum(n - 1 for n in uniq.values()),
        },
    )
    assert data["event_types"]["incoming_call"] == kinds["incoming_call"]
    assert sum(data["event_types"].values()) == data["total_events"]
    chats = {"incoming_chat_message": 0, "outgoing_chat_message": 0, "total_messages": 0}
    shaped(data["chat_stats"], chats)
    shaped(data["period"], {"start_date": "19.11.2026", "end_date": "19.11.2026"})
    shaped(
        data["execution_info"],
        {"pages_processed": int, "max_pages": 10, "execution_time_seconds": float},
    )
    assert data["execution_info"]["has_more"] is False
    assert data["detailed_events"] is None


async def test_events_stats_with_details_of_a_part(crm_doors: CrmDoors) -> None:
    _write_chat(crm_doors, 120)
    october = {"start_date": "01.10.2026", "end_date": "01.10.2026"}
    part = (await crm_doors.ask(STATS, include_details=True, max_pages=1, **october))["data"]
    assert part["total_events"] == len(part["detailed_events"]) == 100
    assert part["execution_info"]["pages_processed"] == 1
    assert part["execution_info"]["has_more"] is True
    assert part["chat_stats"]["total_messages"] == part["chat_stats"]["incoming_chat_message"]
    shaped(part["detailed_events"], [{**EVENT, "message_info": {"message": {"id": str}}}])

    whole = (await crm_doors.ask(STATS, **october))["data"]
    assert (whole["total_events"], whole["execution_info"]["has_more"]) == (120, False)
    shown = (await crm_doors.ask(EVENTS, event_type="incoming_chat_message", limit=110))["data"]
    assert shown["total"] == len({one["id"] for one in shown["events"]}) == 110
    assert shown["_page"] == 2


async def test_events_stats_without_dates(crm_doors: CrmDoors) -> None:
    data = (await crm_doors.ask(STATS, include_details=True))["data"]
    assert data["period"] == {"start_date": "No limit", "end_date": "No limit"}
    calls = [one for one in data["detailed_events"] if one["type"] in CALL_TYPES.values()]
    shaped(calls, [{**EVENT, "call_info": CALL_INFO}])
    assert len(calls) == data["call_stats"]["total_calls"] == len(crm_doors.clinic.calls)


async def test_all_calls(crm_doors: CrmDoors) -> None:
    body = await crm_doors.ask(ALL_CALLS, **DATES)

    shaped(body, {"success": True, "message": str, "data": {"event_types": {str: int}}})
    truth = {call.event_id: call for call in calls_of_day(crm_doors)}
    shaped(body["data"], {"total": len(truth), "enriched": int, "not_enriched": int})
    raw = {"id": str, "type": str, "entity_id": int, "created_at": int, "_links": dict}
    lead = {"lead_id": (int, None), "lead_name": (str, None), "has_lead": bool}
    shaped(body["data"]["events"], [{**raw, **lead}])
    assert {one["id"] for one in body["data"]["events"]} == set(truth)
    for one in body["data"]["events"]:
        call = truth[one["id"]]
        if call.collection == "leads":
            assert (one["lead_id"], one["has_lead"]) == (call.entity_id, True)
            assert one["lead_name"] == crm_doors.clinic.leads[call.entity_id]["name"]
        elif call.collection == "contacts":
            own = crm_doors.clinic.contacts[call.entity_id]["_embedded"]["leads"]  # type: ignore[index]
            assert one["has_lead"] is bool(own)
            assert one["lead_id"] in {each["id"] for each in own} | {None}
    counted = sum(one["has_lead"] for one in body["data"]["events"])
    assert (body["data"]["enriched"], body["data"]["not_enriched"]) == (
        counted,
        len(truth) - counted,
    )


async def test_leads_that_a_sync_knows_are_not_asked_for_again(crm_doors: CrmDoors) -> None:
    crm_doors.forgive()
    crm_doors.options(filters="ignore")  # every card is a request of its own
    before = crm_doors.control.bill()["crm_requests"]
    body = await crm_doors.ask(ALL_CALLS, **DATES)
    crm_doors.options(filters="on")
    asked = crm_doors.control.bill()["crm_requests"] - before
    unknown = [c for c in calls_of_day(crm_doors) if c.duration < 6 or not c.recording]
    assert body["data"]["total"] == len(calls_of_day(crm_doors))
    assert asked <= 4 + 3 * len(unknown) < len(calls_of_day(crm_doors))


@pytest.mark.parametrize("path", [EVENTS, STATS, ALL_CALLS])
async def test_a_crm_that_refuses_is_success_false(crm_doors: CrmDoors, path: str) -> None:
    crm_doors.refuse()
    body = await crm_doors.ask(path, **DATES)
    shaped(body, {"success": False, "message": str, "data": None, "code": "provider_stopped"})


@pytest.mark.parametrize("path", [EVENTS, STATS, ALL_CALLS])
async def test_events_open_to_the_clinics_own_keys_only(crm_doors: CrmDoors, path: str) -> None:
    before = crm_doors.control.bill()["crm_requests"]
    body = {"client_id": crm_doors.client_id, **DATES}
    assert (await crm_doors.neighbour.post(path, json=body)).status_code == 404
    assert (await crm_doors.stranger.post(path, json=body)).status_code == 401
    assert (await crm_doors.reader.post(path, json=body)).status_code == 403
    assert (await crm_doors.owner.post(path, json={"client_id": "nobody"})).status_code == 404
    assert crm_doors.control.bill()["crm_requests"] == before
    own = await crm_doors.neighbour.post(
        path, json={**body, "client_id": crm_doors.other.client_id}
    )
    ours = {call.event_id for call in crm_doors.clinic.calls}
    assert own.status_code == 200
    assert not [event_id for event_id in ours if event_id in own.text]


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        (EVENTS, {"limit": 0}, 422),
        (EVENTS, {"limit": 251}, 422),
        (EVENTS, {"event_type": "lead_added"}, 422),
        (EVENTS, {"start_date": "20.11.2026", "end_date": "19.11.2026"}, 400),
        (EVENTS, {"start_date": "01.01.2020", "end_date": "19.11.2026"}, 400),
        (EVENTS, {"start_date": "\x00"}, 400),
        (STATS, {"max_pages": 51}, 422),
        (STATS, {"max_pages": 0}, 422),
        (ALL_CALLS, {"end_date": "01.01.1970"}, 400),
        (ALL_CALLS, {"max_pages": 2**70}, 422),
    ],
)
async def test_senseless_orders(
    crm_doors: CrmDoors, path: str, order: dict[str, Any], status: int
) -> None:
    answer = await crm_doors.owner.post(path, json={"client_id": crm_doors.client_id, **order})
    assert answer.status_code == status


async def test_check_amocrm_calls(crm_doors: CrmDoors) -> None:
    lost = calls_of_day(crm_doors)[3]
    await crm_doors.application.documents.delete(
        CALLS, {"_id": call_id(crm_doors.client_id, lost.note_id)}
    )
    started = await _start(crm_doors)
    shaped(
        started, {"success": True, "message": str, "task_id": str, "client_id": crm_doors.client_id}
    )
    period = {"start_date": "2026-11-19", "end_date": "2026-11-19"}
    shaped(started, {"period": period, "download_url": str})
    task = started["task_id"]
    assert started["download_url"] == f"{CHECK}/{task}/download"

    waiting = await crm_doors.owner.get(f"{CHECK}/{task}/status")
    shaped(waiting.json(), {"success": True, "task_id": task, "status": "running", "message": str})
    assert (await crm_doors.owner.get(started["download_url"])).status_code == 404
    ended = await _ended(crm_doors, task)
    shaped(ended, {"status": "completed", "completed_at": str, "result_available": True})

    answer = await crm_doors.owner.get(ended["download_url"])
    assert f"amocrm_check_{task}.json" in answer.headers["content-disposition"]
    result, truth = answer.json(), calls_of_day(crm_doors)
    shaped(result, {"success": True, "task_id": task, "statistics": {"formatted_report": str}})
    of_kind = Counter(call.collection for call in truth)
    repeated = Counter(call.uniq for call in truth if call.uniq)
    duplicates = sum(n - 1 for n in repeated.values())
    shaped(
        result["statistics"],
        {
            "total_leads": 0,
            "calls_from_leads": of_kind["leads"],
            "calls_from_contacts": of_kind["contacts"],
            "total_calls": len(truth),
            "zero_duration_calls": sum(call.duration == 0 for call in truth),
            "duplicates_found": duplicates,
            "unique_calls": len(truth) - duplicates,
            "leads_by_date": [{"date": "19.11.2026", "total": 0}],
            "stored_calls": len(truth) - 1,
            "missing_calls": 1,
        },
    )
    assert result["statistics"]["missing_note_ids"] == [lost.note_id]


async def test_a_check_survives_a_restart(crm_doors: CrmDoors) -> None:
    task = (await _start(crm_doors))["task_id"]
    # The process that was asked does nothing about it; another one finds the run and its job.
    settings = crm_doors.application.settings
    async with open_application(settings) as again, doors_of(again) as doors, working(again):
        path = f"{CHECK}/{task}/status"
        await polled(doors.owner, path, {}, ready=lambda body: body["status"] == "completed")
        assert (await doors.owner.get(f"{CHECK}/{task}/download")).status_code == 200
    status = await crm_doors.owner.get(f"{CHECK}/{task}/status")
    assert status.json()["status"] == "completed"


async def test_a_check_that_fails_says_so(crm_doors: CrmDoors) -> None:
    crm_doors.refuse()
    task = (await _start(crm_doors))["task_id"]
    ended = await _ended(crm_doors, task)
    shaped(ended, {"status": "failed", "message": str, "result_available": True})
    result = (await crm_doors.owner.get(ended["download_url"])).json()
    shaped(result, {"success": False, "task_id": task, "error": str})
    assert "не оплачена" in result["error"]


async def test_checks_open_to_the_clinics_own_keys_only(crm_doors: CrmDoors) -> None:
    query = {"client_id": crm_doors.client_id, **_DATES}
    assert (await crm_doors.neighbour.post(CHECK, params=query)).status_code == 404
    assert (await crm_doors.stranger.post(CHECK, params=query)).status_code == 401
    task = (await _start(crm_doors))["task_id"]
    for path in (f"{CHECK}/{task}/status", f"{CHECK}/{task}/download"):
        foreign, unknown = (
            await crm_doors.neighbour.get(path),
            await crm_doors.neighbour.get(path.replace(task, "0" * 24)),
        )
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.json() == unknown.json()
        assert (await crm_doors.stranger.get(path)).status_code == 401
    sync = await crm_doors.application.runs.start(
        crm_doors.client_id, "sync", "19.11.2026", "19.11.2026"
    )
    assert (await crm_doors.owner.get(f"{CHECK}/{sync.id}/status")).status_code == 404
    await crm_doors.application.runs.fail(sync.id, "тест")


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("19.11.2026", "18.11.2026", 400),
        ("01.01.2026", "19.11.2026", 400),
        ("завтра", "19.11.2026", 400),
        ("1" * 41, "19.11.2026", 422),
    ],
)
async def test_senseless_checks(crm_doors: CrmDoors, first: str, last: str, status: int) -> None:
    query = {"client_id": crm_doors.client_id, "start_date_str": first, "end_date_str": last}
    assert (await crm_doors.owner.post(CHECK, params=query)).status_code == status


_DATES = {"start_date_str": "19.11.2026", "end_date_str": "2026-11-19"}


async def _start(crm_doors: CrmDoors) -> dict[str, Any]:
    answer = await crm_doors.owner.post(CHECK, params={"client_id": crm_doors.client_id, **_DATES})
    assert answer.status_code == 200, answer.text
    started: dict[str, Any] = answer.json()
    return started


def _write_chat(crm_doors: CrmDoors, messages: int) -> None:
    """Chat messages on the first of October, as the CRM logs them."""
    account: Account = crm_doors.server.app.state.crm.account(crm_doors.clinic.subdomain)
    noon = int(datetime(2026, 10, 1, 9, tzinfo=UTC).timestamp())
    contact_id = next(iter(crm_doors.clinic.contacts))
    for number in range(messages):
        account.events.add(
            {
                "id": account.events.new_id(noon + number),
                "type": "incoming_chat_message",
                "entity_id": contact_id,
                "entity_type": "contact",
                "created_by": 0,
                "created_at": noon + number,
                "value_after": [{"message": {"id": f"m{number}"}}],
                "value_before": [],
                "account_id": crm_doors.clinic.account_id,
            }
        )


async def _ended(crm_doors: CrmDoors, task: str) -> dict[str, Any]:
    """The status of the comparison after its job has been carried out."""
    await crm_doors.application.phases.check(task)
    found: dict[str, Any] = (await crm_doors.owner.get(f"{CHECK}/{task}/status")).json()
    return found
