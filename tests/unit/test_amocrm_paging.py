"""Lists end where they end, on our host, each row once; id lists bring only what was asked."""

from datetime import UTC, datetime, timedelta, timezone

import httpx2
import pytest
from tests.fixtures.amocrm import EMPTY, FakeCrm, listed, page, problem

from medai.errors import ProviderAnswerError, ProviderRejectedError, ProviderUnavailableError
from medai.integrations.amocrm import paging
from medai.integrations.amocrm.client import AmocrmClient

START = datetime(2026, 11, 19, 0, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=3)))
END = datetime(2026, 11, 20, tzinfo=UTC)


def events(*ids: str) -> list[dict[str, object]]:
    return [{"id": item, "entity_id": 1, "created_at": 1_763_500_000} for item in ids]


def notes(*ids: int) -> list[dict[str, object]]:
    row = {"entity_id": 1, "created_at": 1_763_500_000, "note_type": "call_in"}
    return [{"id": item, **row} for item in ids]


def cards(*ids: int) -> list[dict[str, object]]:
    return [{"id": item} for item in ids]


async def event_ids(client: AmocrmClient) -> list[str]:
    found = client.events(types=["incoming_call", "outgoing_call"], start=START, end=END)
    return [event.id async for event in found]


async def test_events_ask_for_all_types_and_a_page_of_100_and_keep_the_base_path(
    crm: FakeCrm,
) -> None:
    assert await event_ids(crm.client([EMPTY])) == []
    assert crm.requests[0].url.path == "/amocrm/alpha/api/v4/events"
    assert crm.query(0) == [
        ("filter[type][]", "incoming_call"),
        ("filter[type][]", "outgoing_call"),
        ("filter[created_at][from]", str(int(START.timestamp()))),
        ("filter[created_at][to]", str(int(END.timestamp()))),
        ("order[created_at]", "asc"),
        ("limit", "100"),
        ("page", "1"),
    ]


async def test_changes_of_one_field_are_asked_for_alone(crm: FakeCrm) -> None:
    client = crm.client([listed("events", events("a")), listed("events", events("a", "b"))])
    kinds = ["lead_status_changed", "custom_field_21_value_changed", "custom_field_value_changed"]
    found = [event.id async for event in client.events(types=kinds, start=START, end=END)]
    assert found == ["a", "b"]
    asked = [[value for name, value in crm.query(n) if "type" in name] for n in range(2)]
    assert asked == [[kinds[0], kinds[2]], [kinds[1]]]


async def test_pages_are_built_by_us_and_rows_come_once(crm: FakeCrm) -> None:
    client = crm.client([
        listed("events", events("a", "b"), more=True),
        listed("events", events("b", "c"), more=True),
        listed("events", events("d")),
    ])  # fmt: skip
    assert await event_ids(client) == ["a", "b", "c", "d"]
    assert {request.url.host for request in crm.requests} == {"crm.test"}
    assert [dict(crm.query(number))["page"] for number in range(3)] == ["1", "2", "3"]
    assert crm.turns == 3


@pytest.mark.parametrize(
    "last", [EMPTY, listed("events", [], more=True), listed("events", events("a"), more=True)]
)
async def test_list_ends_on_204_an_empty_and_a_repeated_page(
    crm: FakeCrm, last: httpx2.Response
) -> None:
    client = crm.client([listed("events", events("a"), more=True), last])
    assert await event_ids(client) == ["a"]


async def test_list_without_an_end_is_an_error(
    crm: FakeCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 3)
    client = crm.client([listed("events", events(item), more=True) for item in "abcd"])
    with pytest.raises(ProviderAnswerError):
        await event_ids(client)


async def test_gateway_timeout_halves_the_page_and_goes_on_where_it_was(crm: FakeCrm) -> None:
    first = [f"e{number}" for number in range(100)]
    client = crm.client([
        listed("events", events(*first), more=True),
        page(504),
        listed("events", events("z")),
    ])  # fmt: skip
    assert await event_ids(client) == [*first, "z"]
    asked = [(dict(crm.query(n))["limit"], dict(crm.query(n))["page"]) for n in range(3)]
    assert asked == [("100", "1"), ("100", "2"), ("50", "3")]
    assert crm.slept == []


async def test_naive_times_are_refused(crm: FakeCrm) -> None:
    client = crm.client([])
    with pytest.raises(ValueError, match="naive"):
        _ = [e async for e in client.events(types=[], start=datetime(2026, 1, 1), end=END)]  # noqa: DTZ001 the point


async def test_notes_go_in_batches_of_distinct_ids(crm: FakeCrm) -> None:
    client = crm.client([listed("notes", notes(1, 2)), EMPTY], batch_size=2)
    found = [note.id async for note in client.notes("contacts", [1, 2, 1, 3])]
    assert found == [1, 2]
    assert crm.query(0) == [("filter[id][]", "1"), ("filter[id][]", "2"), ("limit", "2")]
    assert crm.query(1) == [("filter[id][]", "3"), ("limit", "1")]
    assert crm.requests[0].url.path == "/amocrm/alpha/api/v4/contacts/notes"


async def test_foreign_notes_are_an_error(crm: FakeCrm) -> None:
    client = crm.client([listed("notes", notes(1, 99))])
    with pytest.raises(ProviderAnswerError):
        _ = [note async for note in client.notes("leads", [1, 2])]


async def test_no_ids_cost_no_request(crm: FakeCrm) -> None:
    client = crm.client([])
    assert [note async for note in client.notes("leads", [])] == []
    assert [lead async for lead in client.leads([])] == []


async def test_gateway_timeout_halves_a_batch_until_it_passes(crm: FakeCrm) -> None:
    client = crm.client(
        [page(504), listed("notes", notes(1, 2)), page(504), listed("notes", notes(3)), EMPTY],
        batch_size=4,
    )
    assert [note.id async for note in client.notes("leads", [1, 2, 3, 4])] == [1, 2, 3]
    sizes = [dict(crm.query(number))["limit"] for number in range(5)]
    assert sizes == ["4", "2", "2", "1", "1"]


async def test_gateway_timeout_of_a_single_id_is_retried_then_reported(crm: FakeCrm) -> None:
    client = crm.client([page(504)] * 3)
    with pytest.raises(ProviderUnavailableError):
        _ = [note async for note in client.notes("leads", [1])]
    assert len(crm.slept) == 2


async def test_call_notes_ask_for_both_directions_by_update_time(crm: FakeCrm) -> None:
    client = crm.client([listed("notes", [*notes(1), {**notes(2)[0], "note_type": "common"}])])
    found = client.call_notes("companies", updated_from=START, updated_to=END)
    assert [(note.id, note.collection) async for note in found] == [(1, "companies")]
    asked = crm.query(0)
    assert asked[:2] == [("filter[note_type][]", "call_in"), ("filter[note_type][]", "call_out")]
    assert ("filter[updated_at][to]", str(int(END.timestamp()))) in asked
    assert ("limit", "250") in asked


async def test_cards_come_in_batches_and_prove_the_filter(crm: FakeCrm) -> None:
    client = crm.client([listed("leads", cards(1, 2), more=True), EMPTY], batch_size=2)
    assert client.filters_trusted is None
    assert [lead.id async for lead in client.leads([1, 2, 3])] == [1, 2]
    assert client.filters_trusted is True
    assert crm.query(0)[0] == ("with", "contacts")


async def test_ignored_filter_switches_to_single_cards_for_good(crm: FakeCrm) -> None:
    client = crm.client([
        listed("contacts", cards(1, 50), more=True),
        httpx2.Response(200, json={"id": 1}),
        EMPTY,
        problem(404),
        httpx2.Response(200, json={"id": 8}),
        httpx2.Response(200, json={"id": 99}),
    ])  # fmt: skip
    assert [card.id async for card in client.contacts([1, 2, 3])] == [1]
    assert client.filters_trusted is False
    assert [card.id async for card in client.contacts([8, 9])] == [8]
    paths = [request.url.path.removeprefix("/amocrm/alpha/api/v4/") for request in crm.requests]
    assert paths == ["contacts", "contacts/1", "contacts/2", "contacts/3", "contacts/8",
                     "contacts/9"]  # fmt: skip
    assert crm.query(1) == [("with", "leads")]


async def test_refused_filter_switches_too_but_not_once_it_has_worked(crm: FakeCrm) -> None:
    client = crm.client([problem(400), httpx2.Response(200, json={"id": 1})])
    assert [card.id async for card in client.companies([1])] == [1]
    working = FakeCrm()
    client = working.client([listed("leads", cards(1)), problem(400)])
    _ = [lead async for lead in client.leads([1])]
    with pytest.raises(ProviderRejectedError):
        _ = [lead async for lead in client.leads([2])]


async def test_account_without_the_option_needs_no_proof(crm: FakeCrm) -> None:
    account = {"id": 1, "is_api_filter_enabled": False}
    client = crm.client([
        httpx2.Response(200, json=account),
        httpx2.Response(200, json={"id": 1}),
        httpx2.Response(200, json={**account, "is_api_filter_enabled": True}),
        listed("leads", cards(2)),
    ])  # fmt: skip
    await client.account()
    assert [lead.id async for lead in client.leads([1])] == [1]
    await client.account()
    assert [lead.id async for lead in client.leads([2])] == [2]
    assert client.filters_trusted is True


async def test_links_are_read_in_mass(crm: FakeCrm) -> None:
    row = {"entity_id": 1, "to_entity_id": 7, "to_entity_type": "contacts",
           "metadata": {"main_contact": True}}  # fmt: skip
    client = crm.client([listed("links", [row])])
    [link] = [link async for link in client.links("leads", [1, 2])]
    assert (link.entity_id, link.to_entity_id, link.is_main_contact) == (1, 7, True)
    assert crm.query(0) == [("filter[entity_id][]", "1"), ("filter[entity_id][]", "2")]


async def test_custom_fields_end_after_five_pages(crm: FakeCrm) -> None:
    pages = [
        listed("custom_fields", cards(*range(start, start + 250)), more=True)
        for start in range(0, 2000, 250)
    ]
    assert len(await crm.client(pages).lead_custom_fields()) == 1250
    assert len(crm.requests) == 5
