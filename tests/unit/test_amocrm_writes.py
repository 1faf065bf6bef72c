"""Notes are written in small batches and matched by the echoed request id, not by order."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from tests.fixtures.amocrm import EMPTY, FakeCrm, listed

from medai.errors import AnswerLostError
from medai.integrations.amocrm.models import NewNote


def body(request: httpx2.Request) -> Any:
    return json.loads(request.content)


def backwards(request: httpx2.Request) -> httpx2.Response:
    rows = [
        {"id": 1000 + int(item["request_id"]), "entity_id": item["entity_id"],
         "request_id": item["request_id"]}
        for item in body(request)
    ]  # fmt: skip
    return listed("notes", rows[::-1])


async def test_note_is_common_and_starts_no_automation(crm: FakeCrm) -> None:
    at = datetime(2026, 11, 19, 12, tzinfo=UTC)
    await crm.client([backwards]).add_notes("contacts", [NewNote(5, "текст", at), NewNote(6, "б")])
    first, second = body(crm.requests[0])
    assert first == {
        "entity_id": 5,
        "note_type": "common",
        "params": {"text": "текст"},
        "request_id": "0",
        "is_need_to_trigger_digital_pipeline": False,
        "created_at": int(at.timestamp()),
    }
    assert "created_at" not in second
    assert crm.requests[0].url.path == "/amocrm/alpha/api/v4/contacts/notes"


async def test_ids_come_in_the_order_of_notes_in_batches_of_50(crm: FakeCrm) -> None:
    notes = [NewNote(number, "т") for number in range(70)]
    ids = await crm.client([backwards, backwards]).add_notes("leads", notes)
    assert ids == [*range(1000, 1050), *range(1000, 1020)]
    assert [len(body(request)) for request in crm.requests] == [50, 20]


async def test_nothing_to_write_costs_no_request(crm: FakeCrm) -> None:
    assert await crm.client([]).add_notes("leads", []) == []


@pytest.mark.parametrize(
    "row",
    [
        {"id": 7, "entity_id": 5},
        {"entity_id": 5, "request_id": "0"},
        {"id": 7, "entity_id": 6, "request_id": "0"},
    ],
)
async def test_answer_without_a_sure_id_counts_as_lost(
    crm: FakeCrm, row: dict[str, object]
) -> None:
    with pytest.raises(AnswerLostError):
        await crm.client([listed("notes", [row])]).add_notes("leads", [NewNote(5, "т")])


async def test_update_names_note_and_card_twice(crm: FakeCrm) -> None:
    answer = httpx2.Response(200, json={"id": 7})
    await crm.client([answer]).update_note("leads", 5, 7, "новый")
    [request] = crm.requests
    assert (request.method, request.url.path) == ("PATCH", "/amocrm/alpha/api/v4/leads/5/notes/7")
    assert body(request) == {
        "id": 7, "entity_id": 5, "note_type": "common", "params": {"text": "новый"},
    }  # fmt: skip


async def test_own_notes_of_a_card_are_found_newest_first(crm: FakeCrm) -> None:
    row = {"id": 7, "entity_id": 5, "created_at": 1_763_500_000, "note_type": "common",
           "params": {"text": "#medai:1"}}  # fmt: skip
    client = crm.client([listed("notes", [row, {**row, "id": 8, "note_type": "call_in"}]), EMPTY])
    [found] = await client.entity_notes("leads", 5, note_type="common")
    assert found.text == "#medai:1"
    assert crm.query(0) == [
        ("filter[note_type]", "common"), ("order[id]", "desc"), ("limit", "50"),
    ]  # fmt: skip
    assert await client.entity_notes("leads", 5, note_type="common") == []
