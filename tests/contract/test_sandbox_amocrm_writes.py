"""Writing to the amoCRM simulator: notes, leads and calls (amocrm.md 2.5, 4.3, 5, 6.1)."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.fixtures.small_crm import BOOKED, FIRST_VISIT, PIPELINE, T0, SmallCrm

LIMIT = 20_000


def common(text: str, **fields: Any) -> dict[str, Any]:
    return {"note_type": "common", "params": {"text": text}, **fields}


async def post(small: SmallCrm, path: str, body: Any) -> httpx2.Response:
    return await small.http.post(f"/api/v4{path}", json=body)


async def patch(small: SmallCrm, path: str, body: Any) -> httpx2.Response:
    return await small.http.patch(f"/api/v4{path}", json=body)


def codes(answer: httpx2.Response) -> list[tuple[str, str, str]]:
    assert answer.status_code == 400, answer.text
    body = answer.json()
    return [
        (item["request_id"], error["code"], error["path"])
        for item in body["validation-errors"]
        for error in item["errors"]
    ]


async def test_note_is_written_and_seen(small_crm: SmallCrm) -> None:
    answer = await post(small_crm, "/leads/501/notes", [common("Расшифровка")])
    assert answer.status_code == 200
    created = answer.json()["_embedded"]["notes"][0]
    assert set(created) == {"id", "entity_id", "request_id", "_links"}
    assert created["entity_id"] == 501
    assert created["request_id"] == "0"
    note = await small_crm.get(f"/leads/501/notes/{created['id']}")
    assert note["params"] == {"text": "Расшифровка"}
    assert note["created_by"] == 7001
    assert created["id"] in await small_crm.ids("/leads/notes?filter[note_type]=common", "notes")
    written = small_crm.ledger.notes()[0]
    assert (written.collection, written.entity_id, written.note_id) == ("leads", 501, created["id"])


async def test_written_note_makes_an_event_and_moves_its_card(small_crm: SmallCrm) -> None:
    await post(small_crm, "/contacts/notes", [common("Текст", entity_id=601)])
    event = (await small_crm.rows("/events?filter[type]=common_note_added", "events"))[0]
    assert (event["entity_type"], event["entity_id"]) == ("contact", 601)
    assert len(event["id"]) == 26
    now = small_crm.account.now()
    assert event["created_at"] == now
    assert (await small_crm.get("/contacts/601"))["updated_at"] == now
    small_crm.account.options.notes_touch_cards = False
    small_crm.hands.now += timedelta(seconds=5)
    await post(small_crm, "/contacts/notes", [common("Текст", entity_id=601)])
    assert (await small_crm.get("/contacts/601"))["updated_at"] == now


async def test_equal_notes_are_two_notes(small_crm: SmallCrm) -> None:
    for _ in range(2):
        await post(small_crm, "/leads/501/notes", [common("Одно", request_id="same")])
    found = await small_crm.ids("/leads/501/notes?filter[note_type]=common&order[id]=desc", "notes")
    assert len(found) == 2
    assert found == sorted(found, reverse=True)
    assert min(found) > 90005


async def test_batch_is_written_whole_or_not_at_all(small_crm: SmallCrm) -> None:
    batch = [common("Да", entity_id=501), common("Нет", entity_id=999), common("Нет")]
    answer = await post(small_crm, "/leads/notes", batch)
    assert codes(answer) == [("1", "NotFound", "entity_id"), ("2", "InvalidType", "entity_id")]
    assert await small_crm.ids("/leads/notes?filter[note_type]=common", "notes") == []
    assert small_crm.ledger.notes() == []


async def test_text_has_a_limit(small_crm: SmallCrm) -> None:
    path = "/leads/501/notes"
    assert (await post(small_crm, path, [common("я" * LIMIT)])).status_code == 200
    too_long = await post(small_crm, path, [common("я" * (LIMIT + 1))])
    assert codes(too_long) == [("0", "TooLong", "params.text")]
    note_id = small_crm.ledger.notes()[0].note_id
    long_patch = [common("я" * (LIMIT + 1), id=note_id)]
    assert codes(await patch(small_crm, "/leads/notes", long_patch))[0][1] == "TooLong"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"note_type": "letter", "params": {"text": "x"}}, "NotSupportedChoice"),
        ({"note_type": "common", "params": {}}, "InvalidType"),
        ({"note_type": "common"}, "InvalidType"),
        ({"note_type": "common", "params": {"text": 5}}, "InvalidType"),
    ],
)
async def test_wrong_notes_are_refused(small_crm: SmallCrm, item: Any, code: str) -> None:
    answer = await post(small_crm, "/leads/501/notes", [item])
    assert codes(answer)[0][1] == code


async def test_bodies_that_are_no_batches(small_crm: SmallCrm) -> None:
    path = "/leads/501/notes"
    assert (await post(small_crm, path, common("Не массив"))).status_code == 400
    assert (await post(small_crm, path, [])).json()["detail"] == "Request data can not be empty"
    broken = await small_crm.http.post(f"/api/v4{path}", content=b"[{")
    assert broken.status_code == 400
    assert (await post(small_crm, path, [common("x")] * 250)).status_code == 200
    large = await post(small_crm, path, [common("x")] * 251)
    assert (large.status_code, large.json()["detail"]) == (422, "Limit 250 per page")


@pytest.mark.parametrize("form", ["type", "card", "single"])
async def test_patch_changes_text_and_moves_updated_at(small_crm: SmallCrm, form: str) -> None:
    await post(small_crm, "/leads/501/notes", [common("Было")])
    note_id = small_crm.ledger.notes()[0].note_id
    before = await small_crm.get(f"/leads/notes/{note_id}")
    item = common("Стало", id=note_id, entity_id=501)
    path = {"type": "/leads/notes", "card": "/leads/501/notes"}.get(form)
    if path:
        answer = await patch(small_crm, path, [item])
        changed = answer.json()["_embedded"]["notes"][0]
    else:
        changed = (await patch(small_crm, f"/leads/501/notes/{note_id}", item)).json()
    after = await small_crm.get(f"/leads/notes/{note_id}")
    assert after["params"]["text"] == "Стало"
    assert after["updated_at"] == changed["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]
    assert len(small_crm.ledger.notes()) == 1


async def test_patch_of_unknown_notes_is_reported(small_crm: SmallCrm) -> None:
    both = [common("Да", id=90000, entity_id=501), common("Нет", id=1, entity_id=501)]
    answer = await patch(small_crm, "/leads/notes", both)
    assert answer.json()["errors"] == {"1": "Note not found"}
    assert [note["id"] for note in answer.json()["_embedded"]["notes"]] == [90000]
    assert (await patch(small_crm, "/leads/notes", both[1:])).status_code == 400
    assert (await patch(small_crm, "/leads/502/notes/90000", both[0])).status_code == 400


async def test_moving_a_lead_makes_the_status_event(small_crm: SmallCrm) -> None:
    small_crm.hands.now += timedelta(hours=1)
    answer = await patch(small_crm, "/leads", [{"id": 501, "status_id": BOOKED}])
    assert answer.json()["_embedded"]["leads"][0]["updated_at"] == small_crm.account.now()
    event = (await small_crm.rows("/events?filter[type]=lead_status_changed", "events"))[0]
    assert event["value_after"] == [{"lead_status": {"id": BOOKED, "pipeline_id": PIPELINE}}]
    assert event["value_before"] == [{"lead_status": {"id": FIRST_VISIT, "pipeline_id": PIPELINE}}]
    assert event["created_at"] == small_crm.account.now()
    await patch(small_crm, "/leads/501", {"name": "Имя", "status_id": BOOKED})
    assert len(await small_crm.rows("/events?filter[type]=lead_status_changed", "events")) == 2


async def test_closing_and_reopening_a_lead(small_crm: SmallCrm) -> None:
    await patch(small_crm, "/leads/501", {"status_id": 143})
    lead = await small_crm.get("/leads/501")
    assert (lead["status_id"], lead["closed_at"]) == (143, small_crm.account.now())
    await patch(small_crm, "/leads/501", {"status_id": FIRST_VISIT})
    assert (await small_crm.get("/leads/501"))["closed_at"] is None


async def test_impossible_lead_changes(small_crm: SmallCrm) -> None:
    answer = await patch(small_crm, "/leads/501", {"status_id": 1})
    assert codes(answer) == [("0", "NotSupportedChoice", "status_id")]
    assert (await small_crm.get("/leads/501"))["status_id"] == FIRST_VISIT
    mixed = await patch(small_crm, "/leads", [{"id": 501, "price": 5}, {"id": 1, "price": 5}])
    assert mixed.json()["errors"] == {"1": "Lead not found"}
    assert (await small_crm.get("/leads/501"))["price"] == 5
    assert (await patch(small_crm, "/leads/999", {"price": 5})).status_code == 400


async def test_changed_field_makes_its_event(small_crm: SmallCrm) -> None:
    values = [{"value": "Подтвержден", "enum_id": 2101}]
    fields = [{"field_id": 21, "values": values}]
    await patch(small_crm, "/leads/501", {"custom_fields_values": fields})
    query = "/events?filter[type]=custom_field_21_value_changed&filter[entity]=lead"
    event = (await small_crm.rows(f"{query}&filter[entity_id]=501", "events"))[0]
    assert event["value_after"][0]["custom_field_value"]["enum_id"] == 2101
    assert event["value_before"] == []


def call(phone: str, **fields: Any) -> dict[str, Any]:
    base = {"direction": "inbound", "duration": 30, "source": "pbx", "phone": phone}
    return {**base, "uniq": "new-1", "link": "https://pbx.example/1.mp3", **fields}


async def placed(small: SmallCrm, phone: str) -> tuple[str, int]:
    body = (await post(small, "/calls", [call(phone)])).json()
    found = body["_embedded"]["calls"][0]
    return found["entity_type"], found["entity_id"]


async def test_call_goes_to_the_only_active_lead_else_to_the_person(small_crm: SmallCrm) -> None:
    assert await placed(small_crm, "8 (900) 000-00-01") == ("lead", 501)
    assert await placed(small_crm, "+79000000002") == ("contact", 602)
    assert await placed(small_crm, "9000000003") == ("company", 701)
    await patch(small_crm, "/leads/501", {"status_id": 142})
    assert await placed(small_crm, "+79000000001") == ("contact", 601)
    await patch(small_crm, "/leads", [{"id": i, "status_id": BOOKED} for i in (501, 502)])
    assert await placed(small_crm, "+79000000001") == ("contact", 601)


async def test_placed_call_is_a_note_and_an_event(small_crm: SmallCrm) -> None:
    item = call("+79000000001", created_at=T0 + 7, call_responsible=7002)
    body = (await post(small_crm, "/calls", [item])).json()
    assert (body["_total_items"], body["errors"]) == (1, [])
    note_id = body["_embedded"]["calls"][0]["id"]
    note = await small_crm.get(f"/leads/notes/{note_id}")
    assert (note["note_type"], note["created_at"], note["created_by"]) == ("call_in", T0 + 7, 7002)
    assert note["params"]["uniq"] == "new-1"
    assert note["params"]["link"] == "https://pbx.example/1.mp3"
    events = await small_crm.rows(f"/events?filter[created_at][from]={T0 + 7}", "events")
    assert events[-1]["type"] == "incoming_call"
    assert events[-1]["value_after"] == [{"note": {"id": note_id}}]
    assert small_crm.ledger.notes() == []


async def test_calls_that_fit_nowhere(small_crm: SmallCrm) -> None:
    nobody = call("+79000000099")
    answer = await post(small_crm, "/calls", [call("+79000000001"), nobody, {"phone": "1"}])
    assert answer.status_code == 200
    assert [error["request_id"] for error in answer.json()["errors"]] == ["1", "2"]
    rejected = await post(small_crm, "/calls", [nobody])
    assert rejected.status_code == 400
    assert "detail" not in rejected.json()
    assert len(rejected.json()["errors"]) == 1


async def test_late_link_comes_with_a_new_updated_at(small_crm: SmallCrm) -> None:
    notes = small_crm.account.notes["leads"]
    due = small_crm.account.now() + 90
    notes.hold_link(90000, until=due)
    notes.hold_link(90003)
    links = {
        note["id"]: note["params"]["link"] for note in await small_crm.rows("/leads/notes", "notes")
    }
    assert links == {90000: "", 90003: ""}
    small_crm.hands.now += timedelta(seconds=120)
    changed = await small_crm.rows(f"/leads/notes?filter[updated_at][from]={due}", "notes")
    assert [(note["id"], note["updated_at"]) for note in changed] == [(90000, due)]
    assert changed[0]["params"]["link"].endswith("/recordings/call-0.mp3")
    notes.release_link(90003, small_crm.account.now())
    assert (await small_crm.get("/leads/notes/90003"))["params"]["link"].endswith("call-3.mp3")


async def test_duplicate_call_has_a_new_note_and_the_same_uniq(small_crm: SmallCrm) -> None:
    copy = small_crm.account.duplicate_call("leads", 90000, to=("contacts", 601))
    note = await small_crm.get(f"/contacts/notes/{copy['id']}")
    original = await small_crm.get("/leads/notes/90000")
    assert note["id"] != original["id"]
    assert note["params"] == original["params"]
    assert note["created_at"] == original["created_at"]
    events = await small_crm.rows(
        "/events?filter[type]=outgoing_call&filter[entity]=contact", "events"
    )
    assert [event["value_after"][0]["note"]["id"] for event in events] == [90004, copy["id"]]
