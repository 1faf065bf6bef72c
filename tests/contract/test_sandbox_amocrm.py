"""Reading from the amoCRM simulator: the rules of amocrm.md 2-8 over HTTP."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.fixtures.small_crm import BOOKED, PIPELINE, T0, SmallCrm, small_world

CALLS_DESCENDING = [f"01hzx3k9c2v7m4q8w5t1r6{place:04d}" for place in range(5, -1, -1)]
OF_FIELD = "filter[type]=custom_field_21_value_changed"


def with_calls(count: int) -> SmallCrm:
    return SmallCrm(world=small_world(count))


def brackets(path: str, query: str) -> list[str]:
    """The same query raw and percent-encoded."""
    return [f"{path}?{query}", f"{path}?{quote(query, safe='=&')}"]


async def test_calls_of_both_kinds_come_newest_first(small_crm: SmallCrm) -> None:
    query = "filter[type][]=incoming_call&filter[type][]=outgoing_call"
    for path in brackets("/events", query):
        assert await small_crm.ids(path, "events") == CALLS_DESCENDING
    comma = "/events?filter[type]=incoming_call,outgoing_call"
    assert await small_crm.ids(comma, "events") == CALLS_DESCENDING


async def test_call_event_names_its_note_and_entity_only(small_crm: SmallCrm) -> None:
    event = (await small_crm.rows(f"/events?filter[id]={CALLS_DESCENDING[0]}", "events"))[0]
    assert event["type"] == "incoming_call"
    assert event["entity_type"] == "company"
    assert event["value_after"] == [{"note": {"id": 90005}}]
    assert event["value_before"] == []
    entity = event["_embedded"]["entity"]
    assert entity["id"] == 701
    assert "/api/v4/companies/701" in entity["_links"]["self"]["href"]
    single = await small_crm.get(f"/events/{CALLS_DESCENDING[0]}")
    assert single["id"] == event["id"]
    assert await small_crm.get("/events/01hzx3k9c2v7m4q8w5t1r6zzzz") is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"filter[created_at][from]={T0 + 60}&filter[created_at][to]={T0 + 120}", 2),
        (f"filter[created_at]={T0 + 240}", 2),
        ("filter[entity][]=lead&filter[entity_id][]=501", 3),
        ("filter[entity]=lead", 4),
        ("filter[created_by][]=0", 1),
        ("filter[type]=lead_status_changed,custom_field_value_changed", 2),
        (OF_FIELD, 1),
        ("filter[type]=custom_field_22_value_changed", 0),
        (f"{OF_FIELD}&filter[value_after][custom_field_values]=2101", 1),
        (f"{OF_FIELD}&filter[value_after][custom_field_values]=2102", 0),
        ("filter[nonsense]=1", 8),
    ],
)  # fmt: skip
async def test_event_filters(small_crm: SmallCrm, query: str, count: int) -> None:
    for path in brackets("/events", query):
        assert len(await small_crm.rows(path, "events")) == count


async def test_conversions_are_found_by_status_pairs(small_crm: SmallCrm) -> None:
    def pair(place: int, pipeline: int, status: int) -> str:
        start = f"filter[value_after][leads_statuses][{place}]"
        return f"{start}[pipeline_id]={pipeline}&{start}[status_id]={status}"

    several = f"/events?{pair(0, 999, BOOKED)}&{pair(1, PIPELINE, BOOKED)}"
    assert await small_crm.ids(several, "events") == ["01hzx3k9c2v7m4q8w5t1rmoved"]
    assert await small_crm.ids(f"/events?{pair(0, PIPELINE, 143)}", "events") == []
    before = pair(0, PIPELINE, BOOKED).replace("value_after", "value_before")
    assert await small_crm.ids(f"/events?{before}", "events") == []
    only_pipeline = f"/events?filter[value_after][leads_statuses][0][pipeline_id]={PIPELINE}"
    assert len(await small_crm.ids(only_pipeline, "events")) == 1


@pytest.mark.parametrize(
    "query",
    [
        "filter[entity]=lead&" + "&".join(f"filter[entity_id][]={i}" for i in range(1, 12)),
        "filter[entity_id][]=501",
        "filter[entity][]=lead&filter[entity][]=contact&filter[entity_id][]=501",
        "&".join(f"filter[created_by][]={i}" for i in range(11)),
        "filter[type]=custom_field_21_value_changed,incoming_call",
        "filter[value_after][custom_field_values]=1",
        "filter[created_at][from]=yesterday",
        "page=0",
        "limit=-5",
    ],
)
async def test_refused_event_queries(small_crm: SmallCrm, query: str) -> None:
    answer = await small_crm.http.get(f"/api/v4/events?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 400


async def test_too_large_limit_of_events_silently_gives_fifty() -> None:
    small = with_calls(150)
    assert len(await small.rows("/events?limit=250", "events")) == 50
    assert len(await small.rows("/events?limit=101", "events")) == 50
    assert len(await small.rows("/events?limit=100", "events")) == 100
    assert len(await small.rows("/events", "events")) == 50


async def test_pages_of_events_are_complete_and_end_with_204() -> None:
    small = with_calls(150)
    url, seen, pages = "/api/v4/events?limit=70&filter%5Btype%5D=incoming_call", [], 0
    while url:
        body = (await small.http.get(url)).json()
        pages += 1
        assert body["_page"] == pages
        seen += [event["id"] for event in body["_embedded"]["events"]]
        url = body["_links"].get("next", {}).get("href", "")
    assert pages == 2
    assert len(set(seen)) == len(seen) == 75
    past = await small.http.get("/api/v4/events?limit=70&filter[type]=incoming_call&page=3")
    assert past.status_code == 204
    assert past.content == b""


async def test_full_last_page_may_name_an_empty_next_one() -> None:
    small = with_calls(150)
    query = "/events?limit=75&filter[type]=incoming_call"
    assert "next" not in (await small.get(query))["_links"]
    small.account.options.next_on_full_page = True
    assert "page=2" in (await small.get(query))["_links"]["next"]["href"]


async def test_events_show_after_their_delay(small_crm: SmallCrm) -> None:
    small_crm.account.options.event_delay = timedelta(hours=1, seconds=-120)
    types = "/events?filter[type]=incoming_call,outgoing_call"
    assert await small_crm.ids(types, "events") == CALLS_DESCENDING[-3:]
    assert await small_crm.get(f"/events/{CALLS_DESCENDING[0]}") is None
    small_crm.hands.now += timedelta(seconds=60)
    assert await small_crm.ids(types, "events") == CALLS_DESCENDING[-4:]


async def test_exclusive_edges_leave_their_second_out(small_crm: SmallCrm) -> None:
    query = f"/events?filter[created_at][from]={T0 + 60}&filter[created_at][to]={T0 + 180}"
    assert len(await small_crm.rows(query, "events")) == 3
    small_crm.account.options.exclusive_edges = True
    assert len(await small_crm.rows(query, "events")) == 1


async def test_notes_are_spread_over_three_collections(small_crm: SmallCrm) -> None:
    assert await small_crm.ids("/leads/notes", "notes") == [90000, 90003]
    assert await small_crm.ids("/contacts/notes", "notes") == [90001, 90004]
    assert await small_crm.ids("/companies/notes", "notes") == [90002, 90005]
    assert (await small_crm.http.get("/api/v4/notes")).status_code == 404


async def test_call_note_has_the_documented_form(small_crm: SmallCrm) -> None:
    note = await small_crm.get("/leads/notes/90003")
    link = note.pop("_links")["self"]["href"]
    assert link == "http://crm.test/amocrm/ulybka/api/v4/leads/501/notes/90003"
    params = note.pop("params")
    assert params["uniq"] == "pbx-3"
    assert params["duration"] == 61
    assert params["link"] == "http://crm.test/recordings/call-3.mp3"
    assert note == {
        "id": 90003, "entity_id": 501, "created_by": 7001, "updated_by": 7001,
        "created_at": T0 + 180, "updated_at": T0 + 180, "responsible_user_id": 7001,
        "group_id": 0, "note_type": "call_in", "account_id": 42,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/leads/notes?filter[id][]=90000&filter[id][]=90003", [90000, 90003]),
        ("/leads/notes?filter[id][0]=90003&filter[id][1]=90001", [90003]),
        ("/leads/notes?filter[id]=90003", [90003]),
        ("/leads/notes?filter[id][from]=90003", [90003]),
        ("/leads/notes?filter[entity_id][]=501", [90000, 90003]),
        ("/leads/notes?filter[entity_id][]=502", []),
        ("/leads/notes?filter[note_type]=call_in", [90003]),
        ("/leads/notes?filter[note_type][]=call_in&filter[note_type][]=call_out", [90000, 90003]),
        (f"/leads/notes?filter[updated_at][from]={T0 + 1}", [90003]),
        (f"/leads/notes?filter[updated_at]={T0 + 180}", [90003]),
        (f"/leads/notes?filter[updated_at][to]={T0}", [90000]),
        ("/leads/notes?order[id]=desc", [90003, 90000]),
        ("/leads/notes?order[updated_at]=desc&limit=1", [90003]),
        ("/leads/501/notes?filter[entity_id][]=999", [90000, 90003]),
        ("/leads/502/notes", []),
    ],
)
async def test_note_filters(small_crm: SmallCrm, path: str, ids: list[int]) -> None:
    base, _, query = path.partition("?")
    for asked in brackets(base, query):
        assert await small_crm.ids(asked, "notes") == ids


async def test_missing_notes_and_cards_answer_204(small_crm: SmallCrm) -> None:
    for path in ("/leads/notes/1", "/leads/502/notes/90000", "/contacts/notes/90000",
                 "/leads/999", "/leads/504", "/contacts/999", "/companies/999"):  # fmt: skip
        answer = await small_crm.http.get(f"/api/v4{path}")
        assert (answer.status_code, answer.content) == (204, b""), path


async def test_cards_show_links_only_when_asked(small_crm: SmallCrm) -> None:
    plain = await small_crm.get("/leads/501")
    assert set(plain["_embedded"]) == {"tags", "companies"}
    full = await small_crm.get("/leads/501?with=contacts,loss_reason")
    contact = full["_embedded"]["contacts"][0]
    assert contact.pop("_links")["self"]["href"].endswith("/api/v4/contacts/601")
    assert contact == {"id": 601, "is_main": True}
    person = await small_crm.get("/contacts/601?with=leads")
    assert [lead["id"] for lead in person["_embedded"]["leads"]] == [501, 502]
    assert "leads" not in (await small_crm.get("/contacts/601"))["_embedded"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("filter[id][]=503&filter[id][]=501&filter[id][]=504", [501, 503]),
        (f"filter[statuses][0][pipeline_id]={PIPELINE}&filter[statuses][0][status_id]=142", [502]),
        (f"filter[updated_at][from]={T0 - 3502}&filter[updated_at][to]={T0 - 3502}", [502]),
        ("filter[price][from]=200", [502, 503]),
        ("filter[name]=Сделка 503", [503]),
        ("filter[unknown]=1", [501, 502, 503]),
        ("query=сделка 502", [502]),
        ("order[updated_at]=desc", [501, 502, 503]),
        ("order[updated_at]=asc&limit=2", [503, 502]),
        ("with=only_deleted", [504]),
    ],
)
async def test_card_filters_with_the_paid_option(
    small_crm: SmallCrm, query: str, ids: list[int]
) -> None:
    assert await small_crm.ids(f"/leads?{query}", "leads") == ids


async def test_phone_search_is_a_substring_search(small_crm: SmallCrm) -> None:
    assert await small_crm.ids("/contacts?query=9000000002", "contacts") == [602]


async def test_without_the_paid_option_filters_do_nothing(small_crm: SmallCrm) -> None:
    small_crm.account.options.filters = "ignore"
    assert await small_crm.ids("/leads?filter[id][]=501", "leads") == [501, 502, 503]
    assert await small_crm.ids("/leads/notes?filter[id][]=90003", "notes") == [90003]
    assert await small_crm.ids("/leads?query=502", "leads") == [502]
    account = await small_crm.get("/account?with=is_api_filter_enabled")
    assert account["is_api_filter_enabled"] is False


@pytest.mark.parametrize(("mode", "id_status"), [("reject", 400), ("reject_custom_fields", 200)])
async def test_other_ways_of_lacking_the_option(
    small_crm: SmallCrm, mode: Any, id_status: int
) -> None:
    small_crm.account.options.filters = mode
    by_id = await small_crm.http.get("/api/v4/leads?filter[id][]=501")
    by_field = await small_crm.http.get("/api/v4/leads?filter[custom_fields_values][21]=1")
    assert (by_id.status_code, by_field.status_code) == (id_status, 400)


async def test_rows_repeat_the_query_when_ids_were_asked(small_crm: SmallCrm) -> None:
    row = (await small_crm.rows("/leads?filter[id][]=501&with=contacts", "leads"))[0]
    for links in (row["_links"], row["_embedded"]["contacts"][0]["_links"]):
        assert links["self"]["href"].endswith("?filter[id][]=501&with=contacts")
    plain = (await small_crm.rows("/leads?with=contacts", "leads"))[0]
    assert plain["_links"]["self"]["href"].endswith("/leads/501")


async def test_links_of_one_and_of_many(small_crm: SmallCrm) -> None:
    query = "filter[entity_id][]=501&filter[entity_id][]=502"
    many = await small_crm.rows(f"/leads/links?{query}", "links")
    assert [(link["entity_id"], link["to_entity_id"]) for link in many] == [
        (501, 601), (502, 601), (502, 602),
    ]  # fmt: skip
    assert many[0]["to_entity_type"] == "contacts"
    assert many[0]["metadata"] == {"main_contact": True}
    one = await small_crm.rows("/contacts/601/links?filter[to_entity_type]=leads", "links")
    assert [link["to_entity_id"] for link in one] == [501, 502]
    assert await small_crm.get("/leads/503/links") is None
    assert (await small_crm.http.get("/api/v4/leads/links")).status_code == 400


async def test_catalogue(small_crm: SmallCrm) -> None:
    pipelines = await small_crm.get("/leads/pipelines")
    assert pipelines["_total_items"] == 1
    statuses = pipelines["_embedded"]["pipelines"][0]["_embedded"]["statuses"]
    assert {status["id"] for status in statuses} >= {BOOKED, 142, 143}
    assert await small_crm.ids("/leads/pipelines/31/statuses", "statuses") != []
    assert (await small_crm.get("/leads/pipelines/31/statuses/142"))["name"] == "Успешно"
    assert await small_crm.ids("/leads/custom_fields", "custom_fields") == [21]
    assert await small_crm.ids("/contacts/custom_fields", "custom_fields") == [11]
    assert await small_crm.ids("/users?limit=1&page=2", "users") == [7002]
    assert (await small_crm.http.get("/api/v4/users/1")).status_code == 404


async def test_users_are_for_administrators_only(small_crm: SmallCrm) -> None:
    token = small_crm.account.tokens.issue_long_lived(admin=False)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await small_crm.http.get("/api/v4/users", headers=headers)).status_code == 403
    assert (await small_crm.http.get("/api/v4/account", headers=headers)).status_code == 200


async def test_account_tells_the_time_zone(small_crm: SmallCrm) -> None:
    body = await small_crm.get("/account?with=datetime_settings,is_api_filter_enabled")
    settings = body["_embedded"]["datetime_settings"]
    assert settings["timezone"] == "Asia/Yekaterinburg"
    assert settings["timezone_offset"] == "+05:00"
    assert body["is_api_filter_enabled"] is True
    assert "_embedded" not in await small_crm.get("/account")


async def test_other_lists_clamp_or_refuse_a_too_large_limit() -> None:
    small = with_calls(900)
    assert len(await small.rows("/leads/notes?limit=900", "notes")) == 250
    small.account.options.over_limit = "reject"
    assert (await small.http.get("/api/v4/leads/notes?limit=251")).status_code == 400


async def test_unknown_routes_and_methods(small_crm: SmallCrm) -> None:
    missing = await small_crm.http.get("/api/v4/nothing")
    assert missing.status_code == 404
    assert missing.json()["detail"] == "Cannot GET /api/v4/nothing"
    assert (await small_crm.http.delete("/api/v4/leads/notes/90000")).status_code == 405
    assert (await small_crm.http.delete("/api/v4/leads/501")).status_code == 405
    answer = await small_crm.http.get("/api/v4/leads")
    assert answer.headers["content-type"] == "application/hal+json"
    assert answer.headers["x-request-id"]


async def test_link_of_the_note_api_stays_as_the_pbx_wrote_it() -> None:
    world = small_world(1)
    call = world.clinics[0].calls[0]
    object.__setattr__(call, "recording", None)
    object.__setattr__(call, "link", "https://x.amocrm.ru/api/v4/contacts/1/notes/2")
    note = await SmallCrm(world=world).get("/leads/notes/90000")
    assert note["params"]["link"] == "https://x.amocrm.ru/api/v4/contacts/1/notes/2"
