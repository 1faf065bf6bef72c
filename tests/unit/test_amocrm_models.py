"""Foreign JSON is read leniently: a wrong type is an absent value, never an exception."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medai.integrations.amocrm.models import (
    Account,
    CallParams,
    Company,
    Contact,
    CustomField,
    Event,
    FieldChange,
    Lead,
    Link,
    Note,
    Pipeline,
    StatusRef,
    User,
)

LINK = "https://pbx.example/1.mp3"
KEYS = [
    "id",
    "note",
    "lead_status",
    "pipeline_id",
    "custom_field_value",
    "field_id",
    "values",
    "value",
    "enum_id",
    "statuses",
    "contacts",
    "leads",
    "is_main",
    "timezone",
    "is_active",
    "main_contact",
    "text",
    "sort",
]
TEXT = st.text('0123456789.:-+eE{}[]"ид\0', max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
KNOWN_KEYS = [
    "id",
    "entity_id",
    "created_at",
    "updated_at",
    "params",
    "type",
    "entity_type",
    "value_after",
    "value_before",
    "price",
    "note_type",
    "_embedded",
    "custom_fields_values",
    "enums",
    "rights",
    "is_deleted",
    "datetime_settings",
    "metadata",
    "to_entity_id",
    "name",
]


def note(**fields: Any) -> Note:
    row = {"id": 1, "entity_id": 2, "created_at": 1_750_000_000, "note_type": "call_in"}
    found = Note.parse({**row, **fields}, "leads")
    assert found is not None
    return found


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(KNOWN_KEYS, JSON)))
def test_no_shape_of_a_row_raises(row: dict[str, Any]) -> None:
    Event.parse(row)
    parsed = Note.parse(row, "leads")
    if parsed is not None:
        assert parsed.call.duration >= 0
        assert isinstance(parsed.text, str)
    for model in (Lead, Contact, Company, Link, Pipeline, CustomField, User, Account):
        model.parse(row)


@given(
    st.dictionaries(
        st.sampled_from(
            ["uniq", "DURATION", "link", "PHONE", "call_responsible", "call_status", "SRC"]
        ),
        JSON,
    )
)
def test_no_call_parameters_raise(params: dict[str, Any]) -> None:
    call = note(params=params).call
    assert call.duration >= 0
    assert call.link is None or call.link
    assert call.uniq is None or call.uniq


@pytest.mark.parametrize("params", [None, [], "", "not json", 7, "[1]", '{"broken'])
def test_call_without_usable_parameters_is_empty(params: object) -> None:
    call = note(params=params).call
    assert call == CallParams(None, 0, "", None, "", None, None, "")


@pytest.mark.parametrize(
    "params",
    [
        {"UNIQ": 17, "DURATION": "61", "SRC": "pbx", "LINK": LINK, "PHONE": 79000000001},
        {"uniq": "17", "duration": 61.4, "source": "pbx", "link": LINK, "phone": "79000000001"},
        {"uniq": 17, "duration": "1:01", "source": "pbx", "link": LINK, "phone": "79000000001"},
        [{"uniq": 17, "duration": 61, "source": "pbx"}, {"link": LINK, "phone": "79000000001"}],
        json.dumps(
            {"UNIQ": 17, "duration": "61", "SRC": "pbx", "LINK": LINK, "PHONE": 79000000001}
        ),
    ],
)
def test_legacy_forms_of_call_parameters_mean_the_same(params: object) -> None:
    call = note(params=params).call
    assert call == CallParams("17", 61, "pbx", LINK, "79000000001", None, None, "")


@pytest.mark.parametrize(
    ("given_value", "read"),
    [(7001, 7001), ("7001", 7001), ("Анна", "Анна"), ("", None), (None, None), ({}, None)],
)
def test_responsible_is_an_id_or_a_name(given_value: object, read: object) -> None:
    assert note(params={"call_responsible": given_value}).call.responsible == read


def test_note_without_creation_time_takes_its_update() -> None:
    found = note(created_at=None, updated_at=1_750_000_005)
    assert found.created_at == datetime(2025, 6, 15, 15, 6, 45, tzinfo=UTC)


@pytest.mark.parametrize("missing", ["id", "entity_id", "created_at"])
def test_note_that_cannot_be_stored_is_no_note(missing: str) -> None:
    row = {"id": 1, "entity_id": 2, "created_at": 1_750_000_000}
    assert Note.parse({**row, missing: None}, "leads") is None


def test_phone_and_link_stay_out_of_repr() -> None:
    found = note(params={"phone": "+79000000001", "link": "https://p/key", "call_result": "Анна"})
    shown = repr(found) + repr(found.call)
    assert "79000000001" not in shown
    assert "https://p/key" not in shown
    assert "Анна" not in shown


def event(kind: str, after: object, before: object = ()) -> Event:
    row = {"id": "01hz", "type": kind, "entity_id": 5, "entity_type": "lead", "created_by": 0,
           "created_at": 1_750_000_000, "value_after": after, "value_before": before}  # fmt: skip
    found = Event.parse(row)
    assert found is not None
    assert found.raw is row
    return found


def test_call_event_names_its_note() -> None:
    assert event("incoming_call", [{"note": {"id": "90001"}}]).note_id == 90001
    assert event("incoming_call", []).note_id is None
    assert event("incoming_call", None).note_id is None


def test_status_event_names_both_sides_with_pipelines() -> None:
    found = event(
        "lead_status_changed",
        [{"lead_status": {"id": 142, "pipeline_id": 3}}],
        [{"lead_status": {"id": 10, "pipeline_id": 2}}],
    )
    assert (found.status_before, found.status_after) == (StatusRef(2, 10), StatusRef(3, 142))


def test_field_event_may_hold_several_values() -> None:
    values = [{"field_id": 8, "enum_id": 1, "text": "да"}, {"field_id": 8, "text": "нет"}]
    found = event("custom_field_value_changed", [{"custom_field_value": v} for v in values])
    assert found.fields_after == (FieldChange(8, 1, "да"), FieldChange(8, None, "нет"))


def test_lead_knows_its_contacts_and_the_main_one() -> None:
    contacts = [{"id": 1, "is_main": False}, {"id": 2, "is_main": True}]
    lead = Lead.parse({"id": 5, "price": None, "_embedded": {"contacts": contacts, "tags": []}})
    assert lead is not None
    assert (lead.contact_ids, lead.main_contact_id, lead.price) == ((1, 2), 2, 0)


def test_contact_lists_all_phones() -> None:
    values = [{"value": "+7 900 000-00-01", "enum_code": "WORK"}, {"value": 79000000002}]
    fields = [
        {"field_id": 1, "field_code": "PHONE", "values": values},
        {"field_id": 2, "values": None},
    ]
    contact = Contact.parse({"id": 3, "custom_fields_values": fields})
    assert contact is not None
    assert contact.phones == ("+7 900 000-00-01", "79000000002")


def test_pipeline_statuses_come_in_display_order() -> None:
    statuses = [
        {"id": 143, "sort": 11000},
        {"id": 7, "sort": 20, "type": 1},
        {"name": "без номера"},
    ]
    pipeline = Pipeline.parse({"id": 1, "_embedded": {"statuses": statuses}})
    assert pipeline is not None
    assert [status.id for status in pipeline.statuses] == [7, 143]


def test_account_tells_zone_and_filter_option_wherever_they_stand() -> None:
    row = {"id": 1, "_embedded": {"datetime_settings": {"timezone": "Europe/Samara"}}}
    account = Account.parse({**row, "is_api_filter_enabled": False})
    assert account is not None
    assert (account.timezone, account.is_api_filter_enabled) == ("Europe/Samara", False)
    silent = Account.parse({"id": 1})
    assert silent is not None
    assert silent.is_api_filter_enabled is None
