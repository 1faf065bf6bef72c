"""The scorecards are contract 3's table, letter by letter."""

import pytest

from medai.analysis.models import CallType
from medai.analysis.scorecards import CRITERION_NAMES, SCORED_TYPES, VERSION, scorecard

NAMES = [
    "Приветствие",
    "Имя пациента",
    "Выявление потребностей",
    "Уточнение вопроса",
    "Апелляция",
    "Презентация услуги",
    "Презентация клиники",
    "Презентация врача",
    "Запись",
    "Цена",
    "Экспертность",
    "Следующий шаг",
    "Запись на прием",
    "Эмоциональный окрас",
    "Речь",
    "Инициатива",
    "Адрес клиники",
    "Паспорт",
    "Работа с возражениями",
]

KEYS = {
    CallType.FIRST: (
        "greeting patient_name needs_identification service_presentation clinic_presentation "
        "doctor_presentation appointment price expertise next_step patient_booking emotional_tone "
        "speech initiative clinic_address passport objection_handling"
    ),
    CallType.REPEAT: (
        "greeting patient_name question_clarification expertise next_step patient_booking "
        "emotional_tone speech initiative objection_handling"
    ),
    CallType.CALL_BACK: (
        "greeting patient_name appeal next_step speech initiative clinic_address passport "
        "objection_handling"
    ),
    CallType.CONFIRMATION: (
        "greeting patient_name appeal next_step speech initiative clinic_address passport "
        "objection_handling"
    ),
    CallType.OTHER: "",
}


def test_names_are_the_labels_of_existing_boards() -> None:
    assert list(CRITERION_NAMES.values()) == NAMES


@pytest.mark.parametrize("call_type", CallType)
def test_keys_and_their_order(call_type: CallType) -> None:
    assert scorecard(call_type).keys == tuple(KEYS[call_type].split())


def test_only_the_crm_decides_about_the_booking() -> None:
    decided = {
        (card.call_type, each.key)
        for card in map(scorecard, CallType)
        for each in card.criteria
        if each.decided_by_crm
    }
    assert decided == {
        (CallType.FIRST, "patient_booking"),
        (CallType.REPEAT, "patient_booking"),
    }


def test_binary_criteria() -> None:
    binary = {
        each.key for card in map(scorecard, CallType) for each in card.criteria if each.binary
    }
    assert binary == {"appointment", "patient_booking", "clinic_address", "passport"}


@pytest.mark.parametrize("call_type", SCORED_TYPES)
def test_every_criterion_says_what_0_and_10_mean(call_type: CallType) -> None:
    for each in scorecard(call_type).criteria:
        named = [score for score, _ in each.anchors]
        assert named.count("0") == 1, each.key
        assert named.count("10") == 1, each.key


def test_anchors_differ_where_the_contract_says_so() -> None:
    def anchors(call_type: CallType, key: str) -> tuple[tuple[str, str], ...]:
        return next(each.anchors for each in scorecard(call_type).criteria if each.key == key)

    assert anchors(CallType.FIRST, "patient_name") != anchors(CallType.REPEAT, "patient_name")
    assert len(anchors(CallType.CONFIRMATION, "patient_name")) == 2
    assert anchors(CallType.FIRST, "initiative") != anchors(CallType.REPEAT, "initiative")
    assert anchors(CallType.FIRST, "next_step") != anchors(CallType.CONFIRMATION, "next_step")


def test_cards_carry_their_version() -> None:
    assert {scorecard(each).version for each in CallType} == {VERSION} == {"medai-1"}
