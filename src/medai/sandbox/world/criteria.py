"""Criteria of each call type with their display names, written from contract 3 independently.

The product has its own table; the sandbox keeps this one so that a slip in either is noticed.
"""

CALL_TYPES = {1: "первичка", 2: "вторичка", 3: "перезвон", 4: "подтверждение", 5: "другое"}

NAMES = {
    "greeting": "Приветствие",
    "patient_name": "Имя пациента",
    "needs_identification": "Выявление потребностей",
    "question_clarification": "Уточнение вопроса",
    "appeal": "Апелляция",
    "service_presentation": "Презентация услуги",
    "clinic_presentation": "Презентация клиники",
    "doctor_presentation": "Презентация врача",
    "appointment": "Запись",
    "price": "Цена",
    "expertise": "Экспертность",
    "next_step": "Следующий шаг",
    "patient_booking": "Запись на прием",
    "emotional_tone": "Эмоциональный окрас",
    "speech": "Речь",
    "initiative": "Инициатива",
    "clinic_address": "Адрес клиники",
    "passport": "Паспорт",
    "objection_handling": "Работа с возражениями",
}

_ONLY_FIRST = ("needs_identification", "service_presentation", "clinic_presentation")
_SALES = ("doctor_presentation", "appointment", "price")
_FIRST = {*NAMES} - {"question_clarification", "appeal"}
_REPEAT = {*NAMES} - {*_ONLY_FIRST, *_SALES, "appeal", "clinic_address", "passport"}
_CALL_BACK = {
    *("greeting", "patient_name", "appeal", "next_step", "speech", "initiative"),
    *("clinic_address", "passport", "objection_handling"),
}


def _ordered(keys: set[str]) -> tuple[str, ...]:
    return tuple(key for key in NAMES if key in keys)


KEYS: dict[int, tuple[str, ...]] = {
    1: _ordered(_FIRST),
    2: _ordered(_REPEAT),
    3: _ordered(_CALL_BACK),
    4: _ordered(_CALL_BACK),
    5: (),
}
"""Criterion keys by call type, in display order: 17, 10, 9, 9 and none (contract 3)."""

DECIDED_BY_CRM = "patient_booking"
BINARY = frozenset({"appointment", "clinic_address", "passport", "patient_booking"})


def judged_keys(call_type_id: int) -> tuple[str, ...]:
    """The keys whose score follows from the words spoken."""
    return tuple(key for key in KEYS[call_type_id] if key != DECIDED_BY_CRM)
