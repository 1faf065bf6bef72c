"""From CRM facts to a call (contract 4.3-4.5)."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.fixtures.clinic_day import (
    DAY,
    LINK,
    NOON,
    TZ,
    call_event,
    call_note,
    card,
    clinic,
    lead,
)

from medai.calls.models import UNDEFINED_SOURCE, UNKNOWN_ADMINISTRATOR, Call, SkipReason, Stage
from medai.crm.building import NOTHING_AROUND, Surroundings, build_call, missing_note_call
from medai.crm.ports import CallNote, CardFacts, LeadFacts
from medai.kit.ids import call_id


def around(
    leads: tuple[LeadFacts, ...] = (),
    contacts: tuple[CardFacts, ...] = (),
    companies: tuple[CardFacts, ...] = (),
    users: dict[int, str] | None = None,
) -> Surroundings:
    return Surroundings(
        {each.id: each for each in leads},
        {each.id: each for each in contacts},
        {each.id: each for each in companies},
        users or {},
    )


def built(note: CallNote | None = None, facts: Surroundings = NOTHING_AROUND) -> Call:
    return build_call(clinic(), note or call_note(), call_event(), facts, tz=TZ, now=NOON)


def test_the_notes_facts_are_taken_over() -> None:
    call = built()
    assert call.id == call_id("clinic-1", 101)
    assert (call.note_id, call.event_id, call.uniq) == (101, "e101", "pbx-101")
    assert (call.collection, call.entity_id) == ("leads", 501)
    assert (call.duration_seconds, call.recording_url) == (61, LINK)
    assert (call.business_day, call.stage) == (DAY, Stage.RECORDED)
    assert (call.source, call.administrator) == (UNDEFINED_SOURCE, UNKNOWN_ADMINISTRATOR)
    assert call.processing_speed_label == "0 мин"


def test_the_business_day_is_the_clinics() -> None:
    late = call_note(started_at=datetime(2026, 11, 19, 21, 0, tzinfo=UTC))
    assert built(late).business_day == date(2026, 11, 20)
    west = build_call(clinic(), late, None, NOTHING_AROUND, tz=ZoneInfo("UTC"), now=NOON)
    assert west.business_day == DAY


def test_a_call_on_a_lead_belongs_to_that_lead() -> None:
    facts = around((lead(501, contact_ids=(601,)), lead(502, updated=99)), (card(601, "Мария"),))
    call = built(facts=facts)
    assert (call.lead_id, call.lead_name) == (501, "Сделка 501")
    assert (call.contact_id, call.contact_name) == (601, "Мария")


@pytest.mark.parametrize(
    ("leads", "chosen"),
    [
        ((lead(501), lead(502, updated=1)), 502),
        ((lead(501, updated=1), lead(502)), 501),
        ((lead(501), lead(502)), 502),
        ((lead(501, created_at=NOON.replace(hour=10)), lead(502)), 501),
        ((), None),
    ],
)
def test_a_call_on_a_contact_belongs_to_the_newest_lead(
    leads: tuple[LeadFacts, ...], chosen: int | None
) -> None:
    note = call_note(collection="contacts", entity_id=601)
    for known in (leads, leads[::-1]):
        call = built(note, around(known, (card(601, "Мария", (501, 502, 503)),)))
        assert call.lead_id == chosen
        assert (call.contact_id, call.contact_name) == (601, "Мария")


def test_a_company_lends_its_lead_and_its_first_contact() -> None:
    note = call_note(collection="companies", entity_id=701)
    firm = card(701, "Фирма", (501,), (602,))
    call = built(note, around((lead(501),), (card(602, "Ольга"),), (firm,)))
    assert (call.lead_id, call.contact_id, call.contact_name) == (501, 602, "Ольга")
    with_own = around(
        (lead(501, contact_ids=(603,)),), (card(602, "Ольга"), card(603, "Анна")), (firm,)
    )
    assert built(note, with_own).contact_id == 603


def test_a_contact_without_a_name_and_a_deleted_card() -> None:
    note = call_note(collection="contacts", entity_id=601)
    assert built(note, around((), (card(601, " "),))).contact_name == "Без имени"
    gone = built(note)
    assert (gone.contact_id, gone.contact_name, gone.lead_id) == (None, "", None)


@pytest.mark.parametrize(
    ("named", "texts", "users", "expected"),
    [
        ("Вера из АТС", {"администратор": "Анна Иванова"}, {7001: "Ольга"}, "Анна Иванова"),
        ("Вера из АТС", {}, {7001: "Ольга"}, "Вера из АТС"),
        ("", {}, {7001: "Ольга", 7002: "Ирина"}, "Ольга"),
        ("", {}, {7002: "Ирина"}, "Ирина"),
        ("", {}, {}, UNKNOWN_ADMINISTRATOR),
    ],
)
def test_the_administrator_by_field_then_pbx_then_user(
    named: str, texts: dict[str, str], users: dict[int, str], expected: str
) -> None:
    facts = around((lead(501, texts=texts, responsible_user_id=7002),), users=users)
    call = built(call_note(responsible_name=named), facts)
    assert call.administrator == expected
    # A CRM account may be shared: only names count for attribution by schedule.
    assert call.crm_administrator == (texts.get("администратор") or named)


def test_source_and_speed_come_from_the_leads_fields() -> None:
    texts = {"источник трафика": " Яндекс  Карты ", "скорость обработки заявки": "15 - 30 мин"}
    call = built(facts=around((lead(501, texts=texts),)))
    assert call.source == "Яндекс Карты"
    assert (call.processing_speed_label, call.processing_speed_minutes) == ("15 - 30 мин", 15)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"duration_seconds": 0}, SkipReason.ZERO_DURATION),
        ({"duration_seconds": 5}, SkipReason.SHORT),
        ({"link": "https://a.amocrm.ru/api/v4/contacts/1/notes/2"}, SkipReason.NOTE_LINK),
    ],
)
def test_a_skipped_call_carries_no_facts_of_cards(
    changes: dict[str, Any], reason: SkipReason
) -> None:
    facts = around((lead(501, contact_ids=(601,)),), (card(601, "Мария"),), users={7001: "Ольга"})
    call = built(call_note(**changes), facts)
    assert (call.stage, call.skip_reason) == (Stage.SKIPPED, reason)
    assert (call.lead_id, call.contact_id, call.contact_name) == (None, None, "")
    assert call.administrator == UNKNOWN_ADMINISTRATOR


def test_a_call_without_a_link_waits_for_it() -> None:
    assert built(call_note(link=None)).stage is Stage.DISCOVERED


def test_hostile_text_is_made_harmless_before_it_is_compared() -> None:
    dirty = call_note(
        link=f"{LINK}?\x00\u202e", uniq="u\x00id", phone="+7\x07" + "9" * 60,
        responsible_name="Ве\u202eра\n\n Петрова",
    )  # fmt: skip
    call = built(dirty, around((lead(501, name="Сделка\x00" + "я" * 400),)))
    stored = (call.recording_url, call.uniq, call.phone, call.lead_name, call.administrator)
    assert not any(bad in str(text) for text in stored for bad in "\x00\x07\u202e\n")
    assert call.administrator == "Вера Петрова"
    assert len(call.phone) == 40
    assert len(call.lead_name) == 300


def test_a_call_without_a_readable_note_leaves_a_trace() -> None:
    event = call_event(at=datetime(2026, 11, 19, 21, 30, tzinfo=UTC))
    call = missing_note_call(clinic(), event, tz=TZ, now=NOON)
    assert call.id == built().id
    assert (call.stage, call.skip_reason) == (Stage.SKIPPED, SkipReason.NOTE_MISSING)
    assert call.business_day == date(2026, 11, 20)
