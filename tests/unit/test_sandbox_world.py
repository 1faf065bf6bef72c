"""The invented world: repeatable, complete in its peculiarities, right about itself."""

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from medai.kit.days import business_day
from medai.kit.phones import comparable
from medai.sandbox.world.bulk import generate_bulk
from medai.sandbox.world.generate import generate
from medai.sandbox.world.models import SimCall, SimClinic, World

DAY = date(2026, 3, 12)
SEEDS = range(8)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [generate(seed=seed, day=DAY) for seed in SEEDS]


def _on_day(clinic: SimClinic) -> list[SimCall]:
    zone = ZoneInfo(clinic.timezone)
    return [call for call in clinic.calls if business_day(call.at, zone) == DAY]


def test_same_arguments_same_world() -> None:
    assert generate(seed=3, day=DAY) == generate(seed=3, day=DAY)
    assert generate(seed=3, day=DAY) != generate(seed=4, day=DAY)


def test_another_process_with_other_hashes_makes_the_same_world() -> None:
    code = (
        "import datetime,hashlib;from medai.sandbox.world.generate import generate;"
        "w=generate(seed=3,day=datetime.date(2026,3,12));"
        "print(hashlib.sha256(repr(w).encode()).hexdigest())"
    )
    source = str(Path(__file__).parents[2] / "src")
    prints = {
        subprocess.run(  # noqa: S603 - our own interpreter and a fixed script
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(prints) == 1


def test_two_clinics_with_the_asked_number_of_calls_each(worlds: list[World]) -> None:
    for world in worlds:
        assert [clinic.attribution for clinic in world.clinics] == ["amocrm", "ai_schedule"]
        assert len({clinic.timezone for clinic in world.clinics}) == 2
        assert [len(_on_day(clinic)) for clinic in world.clinics] == [34, 34]


def test_too_small_a_day_is_refused() -> None:
    smallest = generate(seed=1, day=DAY, calls_per_clinic=17)
    assert [len(_on_day(clinic)) for clinic in smallest.clinics] == [17, 17]
    with pytest.raises(ValueError, match="17"):
        generate(seed=1, day=DAY, calls_per_clinic=16)


def test_days_of_another_zone_and_neighbouring_days_tempt(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        counted = _on_day(clinic)
        assert any(call.at.astimezone(UTC).date() != DAY for call in counted)
        outside = [call for call in clinic.calls if call not in counted]
        assert len(outside) == 2
        assert all(call.recording for call in outside)
        zone = ZoneInfo(clinic.timezone)
        days = {business_day(call.at, zone) for call in outside}
        assert days == {DAY - timedelta(1), DAY + timedelta(1)}


def test_every_reason_to_skip_occurs_and_shows_in_the_call(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        reasons = Counter(call.expected.skip_reason for call in clinic.calls)
        assert set(reasons) == {None, "zero_duration", "short", "duplicate", "note_link"}
        for call in clinic.calls:
            reason = call.expected.skip_reason
            assert (reason == "zero_duration") == (call.duration == 0)
            assert (reason == "short") == (1 <= call.duration <= 5)
            noted = re.search(r"/api/v4/contacts/\d+/notes/\d+$", call.link)
            assert (reason == "note_link") == bool(noted)
            assert call.recording is None or not call.link


def test_the_higher_note_of_a_call_posted_twice_is_the_duplicate(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        copies = [call for call in clinic.calls if call.expected.skip_reason == "duplicate"]
        assert copies
        for copy in copies:
            kept = next(c for c in clinic.calls if c.uniq == copy.uniq and c is not copy)
            assert kept.note_id < copy.note_id
            assert (kept.collection, copy.collection) == ("contacts", "leads")
            assert kept.recording == copy.recording
            assert kept.expected.lead_id == copy.entity_id
        uniqs = Counter(call.uniq for call in clinic.calls)
        assert sum(count - 1 for count in uniqs.values()) == len(copies)


def test_two_calls_of_one_contact_within_ten_minutes_are_both_kept(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        cards: dict[int, list[SimCall]] = {}
        for call in clinic.calls:
            if call.collection == "contacts" and call.dialogue:
                cards.setdefault(call.entity_id, []).append(call)
        pairs = [calls for calls in cards.values() if len(calls) == 2]
        assert len(pairs) == 1
        first, second = pairs[0]
        assert timedelta(0) < second.at - first.at < timedelta(minutes=10)
        assert first.uniq != second.uniq
        assert first.recording != second.recording
        assert first.expected.skip_reason is second.expected.skip_reason is None


def test_notes_and_events_have_ids_of_their_own_in_time_order(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        notes = [call.note_id for call in clinic.calls]
        assert notes == sorted(set(notes))
        assert [c.at for c in clinic.calls] == sorted(c.at for c in clinic.calls)
        ids = [call.event_id for call in clinic.calls] + [event.id for event in clinic.events]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[0-9a-z]{26}", each) for each in ids)


def test_cards_are_linked_both_ways_and_hold_the_calls(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        cards = {
            "leads": clinic.leads,
            "contacts": clinic.contacts,
            "companies": clinic.companies,
        }
        assert {call.collection for call in clinic.calls} == set(cards)
        assert all(call.entity_id in cards[call.collection] for call in clinic.calls)
        down = {(i, c["id"]) for i, v in clinic.leads.items() for c in _linked(v, "contacts")}
        up = {(lead["id"], i) for i, v in clinic.contacts.items() for lead in _linked(v, "leads")}
        assert down == up
        assert all(event.entity_id in clinic.leads for event in clinic.events)


def _linked(card: dict[str, object], kind: str) -> list[dict[str, int]]:
    embedded = card["_embedded"]
    assert isinstance(embedded, dict)
    return list(embedded[kind])


def test_telephone_numbers_are_invented_and_some_are_shared(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        owners: dict[str, set[int]] = {}
        for call in clinic.calls:
            assert re.fullmatch(r"90000000\d\d", comparable(call.phone))
            if call.expected.contact_id:
                owners.setdefault(comparable(call.phone), set()).add(call.expected.contact_id)
        assert max(len(contacts) for contacts in owners.values()) > 1


def test_call_types_directions_and_channels_are_mixed(worlds: list[World]) -> None:
    for clinic in (clinic for world in worlds for clinic in world.clinics):
        dialogues = [call.dialogue for call in clinic.calls if call.dialogue]
        assert {dialogue.call_type_id for dialogue in dialogues} == {1, 2, 3, 4, 5}
        assert {dialogue.channels for dialogue in dialogues} == {1, 2}
        assert {call.direction for call in clinic.calls} == {"inbound", "outbound"}
        assert max(dialogue.seconds for dialogue in dialogues) > 90
        assert sum(dialogue.seconds > 85 for dialogue in dialogues) == 1
        for call in clinic.calls:
            if call.dialogue:
                assert call.duration == call.dialogue.seconds


def test_bulk_spreads_notes_over_leads_and_contacts() -> None:
    world = generate_bulk(seed=5, day=DAY, calls=1000, unique_cards=900, status_events=300)
    clinic = world.clinics[0]
    assert len(_on_day(clinic)) == 1000
    assert Counter(call.collection for call in clinic.calls) == {"leads": 600, "contacts": 400}
    assert len({call.expected.lead_id for call in clinic.calls}) == 900
    assert len(clinic.events) == 300
    assert any(call.expected.converted for call in clinic.calls)
    assert all(call.recording is None for call in clinic.calls)
    assert world == generate_bulk(seed=5, day=DAY, calls=1000, unique_cards=900, status_events=300)


def test_bulk_calls_share_recordings_when_asked() -> None:
    world = generate_bulk(seed=5, day=DAY, calls=50, shared_recordings=4)
    assert len({call.recording for call in world.clinics[0].calls}) == 4
