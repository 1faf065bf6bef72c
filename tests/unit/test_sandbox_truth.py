"""The sandbox's own conclusions, checked against cases worked out by hand."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from medai.kit.days import day_window
from medai.sandbox.world.attribution import UNKNOWN, by_crm, by_schedule
from medai.sandbox.world.book import Book
from medai.sandbox.world.conversion import conversion_type
from medai.sandbox.world.crm import LOST, Json
from medai.sandbox.world.generate import generate
from medai.sandbox.world.models import Dialogue, Expected, Line, SimCall, World
from medai.sandbox.world.profiles import PROFILES
from medai.sandbox.world.setup import CONFIRMED, NOT_CONFIRMED, setup
from medai.sandbox.world.truth import truth

DAY = date(2026, 3, 12)
NOON = datetime(2026, 3, 12, 9, tzinfo=UTC)
WINDOW = day_window(DAY, ZoneInfo("Europe/Moscow"))
YES = "Подтверждение -> Подтвержден"
FIRST = "Первичные -> Записались"
REPEAT = "Вторичные -> Записались"


@pytest.fixture
def book() -> Book:
    return Book(setup(PROFILES[0]), 1, Random(1))


@pytest.fixture
def lead(book: Book) -> Json:
    return book.lead("Лид", NOON, 7, pipeline=book.setup.first, contacts=())


def _verdict(book: Book, lead: Json) -> str | None:
    return conversion_type(lead, book.events, WINDOW, book.setup)


def test_a_booking_in_either_pipeline_on_the_day_converts(book: Book, lead: Json) -> None:
    book.move(lead, book.setup.booked(book.setup.repeat), NOON)
    assert _verdict(book, lead) == REPEAT
    other = book.lead("Лид", NOON, 7, pipeline=book.setup.first, contacts=())
    book.move(other, book.setup.booked(book.setup.first), NOON)
    assert _verdict(book, other) == FIRST


@pytest.mark.parametrize("days", [-1, 1])
def test_a_booking_on_another_day_does_not(book: Book, lead: Json, days: int) -> None:
    book.move(lead, book.setup.booked(book.setup.first), NOON + timedelta(days=days))
    assert _verdict(book, lead) is None


def test_a_status_of_the_same_name_elsewhere_or_a_loss_does_not(book: Book, lead: Json) -> None:
    book.move(lead, book.setup.booked(book.setup.archive), NOON)
    book.move(lead, (book.setup.first["id"], LOST), NOON)
    assert _verdict(book, lead) is None


def test_confirmation_wins_over_a_booking(book: Book, lead: Json) -> None:
    book.move(lead, book.setup.booked(book.setup.first), NOON)
    book.confirm(lead, NOON, CONFIRMED, book.setup.confirmation_enum(CONFIRMED))
    assert _verdict(book, lead) == YES


def test_confirmation_by_text_alone_counts_and_its_negation_does_not(
    book: Book, lead: Json
) -> None:
    book.confirm(lead, NOON, "не подтвержден", None)
    assert _verdict(book, lead) is None
    book.confirm(lead, NOON, NOT_CONFIRMED, book.setup.confirmation_enum(NOT_CONFIRMED))
    assert _verdict(book, lead) is None
    book.confirm(lead, NOON, "Визит подтвержден", None)
    assert _verdict(book, lead) == YES


def test_a_held_confirmation_counts_when_the_lead_changed_that_day(book: Book, lead: Json) -> None:
    book.set_field(lead, book.setup.confirmation, CONFIRMED)
    assert _verdict(book, lead) == YES
    lead["updated_at"] = int((NOON + timedelta(days=1)).timestamp())
    assert _verdict(book, lead) is None


def test_the_crm_names_the_administrator_in_order(book: Book, lead: Json) -> None:
    users = book.setup.users
    lead["responsible_user_id"] = users[1]["id"]
    assert by_crm(lead, 0, users) == users[1]["name"]
    assert by_crm(lead, users[0]["id"], users) == users[0]["name"]
    book.set_field(lead, book.setup.administrator, "Имя Из Поля")
    assert by_crm(lead, users[0]["id"], users) == "Имя Из Поля"
    assert by_crm(None, 0, users) == UNKNOWN


def test_the_schedule_names_the_administrator(book: Book, lead: Json) -> None:
    shift = [colleague for colleague in PROFILES[1].colleagues if colleague.on_shift]
    first, second = shift[:2]
    assert by_schedule(lead, None, [second]) == second.full_name
    assert by_schedule(lead, first.short_name, shift) == first.full_name
    assert by_schedule(lead, None, shift) == UNKNOWN
    book.set_field(lead, book.setup.administrator, f"{second.last_name} С.")
    assert by_schedule(lead, "Снежана", shift) == second.full_name
    assert by_schedule(lead, first.first_name, shift) == first.full_name


def test_a_call_of_nobody_belongs_to_the_leads_responsible_user() -> None:
    clinic = generate(seed=1, day=DAY).clinics[0]
    names = {user["id"]: user["name"] for user in clinic.users}
    orphans = [call for call in clinic.calls if call.responsible_user_id == 0]
    assert orphans
    for call in orphans:
        lead = clinic.leads[call.expected.lead_id or 0]
        assert call.expected.administrator == names[lead["responsible_user_id"]]


def test_worlds_hold_every_kind_of_conclusion() -> None:
    kinds: Counter[str | None] = Counter()
    unknown = 0
    for seed in range(6):
        for clinic in generate(seed=seed, day=DAY).clinics:
            kinds.update(call.expected.conversion_type for call in clinic.calls)
            names = {call.expected.administrator for call in clinic.calls}
            unknown += UNKNOWN in names
            assert len(names - {UNKNOWN}) >= 2
            assert UNKNOWN not in names or clinic.attribution == "ai_schedule"
            booked = [c for c in clinic.calls if c.dialogue and _booked(c.dialogue)]
            assert any(not c.expected.converted for c in booked)
    assert set(kinds) == {None, YES, FIRST, REPEAT}
    assert unknown


def _booked(dialogue: Dialogue) -> bool:
    return dialogue.call_type_id in (1, 3) and dialogue.scores["clinic_address"] is not None


def _dialogue(name: str, kind: int, seconds: float, scores: dict[str, int | None]) -> Dialogue:
    line = Line("administrator", f"Реплика {name}", 0, 900)
    advice = () if kind == 5 else ("Совет",)
    return Dialogue(name, kind, (line,), scores, {}, advice, seconds, 1)


def _call(number: int, dialogue: Dialogue | None, expected: Expected) -> SimCall:
    return SimCall(
        note_id=number,
        event_id=f"{number:026d}",
        collection="leads",
        entity_id=1,
        direction="inbound",
        at=NOON,
        phone="+7 900 000-00-01",
        duration=round(dialogue.seconds) if dialogue else 40,
        uniq=f"u{number}",
        recording=dialogue.id if dialogue else None,
        dialogue=dialogue,
        responsible_user_id=1,
        expected=expected,
    )


def _scores(text: str) -> dict[str, int | None]:
    """ "greeting 10, price -" as scores; a dash is not applicable."""
    pairs = (pair.split() for pair in text.split(","))
    return {key: None if score == "-" else int(score) for key, score in pairs}


_REPEAT_CALL = _scores(
    "greeting 10, patient_name 8, question_clarification 6, expertise 4, next_step 2, "
    "emotional_tone 0, speech 10, initiative 0, objection_handling -"
)
_BACK_CALL = _scores(
    "greeting 10, patient_name 10, appeal 10, next_step 10, speech 10, initiative 10, "
    "clinic_address 0, passport -, objection_handling -"
)


def test_numbers_worked_out_by_hand() -> None:
    known = Expected(administrator="А Б", source="Сайт", processing_speed_minutes=5)
    repeat = _dialogue("r", 2, 60.0, _REPEAT_CALL)
    calls = (
        _call(1, repeat, replace(known, converted=True, conversion_type=REPEAT)),
        _call(2, repeat, replace(known, processing_speed_minutes=0)),
        _call(3, _dialogue("b", 3, 30.0, _BACK_CALL), known),
        _call(4, _dialogue("o", 5, 10.0, {}), known),
        _call(5, None, known),
        _call(6, None, replace(known, skip_reason="short")),
        _call(7, repeat, replace(known, skip_reason="duplicate")),
    )
    tomorrow = replace(_call(8, repeat, known), at=NOON + timedelta(days=1))
    clinic = replace(generate(seed=1, day=DAY).clinics[0], calls=(*calls, tomorrow))
    result = truth(World(1, DAY, (clinic,)))["clinics"][clinic.client_id]

    assert (result["calls_found"], result["calls_stored"]) == (7, 5)
    assert result["calls_skipped"] == {"short": 1, "duplicate": 1}
    assert (result["notes_written"], result["calls_analysed"], result["converted"]) == (4, 4, 1)
    assert result["stt_seconds"] == 100.0
    assert result["minutes_used"] == 2.67
    assert [result["calls"][n]["overall"] for n in "12345"] == [5.5556, 4.4444, 8.5714, 0.0, None]
    assert result["calls"]["1"]["scores"]["patient_booking"] == 10
    assert result["rows"]["daily_summary_metrics"] == {
        "rows": 2,
        "total_calls": 3,
        "converted_calls": 1,
        "total_duration_seconds": 150,
        "total_overall_score": 18.5714,
        "scored_calls_count": 3,
        "total_processing_speed_minutes": 10,
        "calls_with_processing_speed_count": 2,
    }
    criteria = result["rows"]["call_criteria_metrics"]
    assert (criteria["rows"], criteria["total_score"]) == (16, 150)
    assert criteria["scored_calls_count"] == 25
    assert criteria["total_score_by_criterion"]["Запись на прием"] == 10
    assert result["rows"]["call_details"] == {"rows": 3}


def test_truth_of_a_world_is_plain_data_and_adds_up() -> None:
    world = generate(seed=2, day=DAY)
    result = truth(world)
    assert json.loads(json.dumps(result)) == result
    clinics = result["clinics"].values()
    assert sum(clinic["calls_found"] for clinic in clinics) == 68
    for clinic in clinics:
        skipped = sum(clinic["calls_skipped"].values())
        assert clinic["calls_found"] == clinic["calls_stored"] + skipped
        assert len(clinic["calls"]) == clinic["calls_found"]
    for table, total in result["rows"].items():
        assert total["rows"] == sum(clinic["rows"][table]["rows"] for clinic in clinics)
