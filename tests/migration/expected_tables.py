"""The rows of contract 3, computed from the truth of a dump by the contract's own formulas."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from tests.migration.old_dump import SUBDOMAINS, TYPES, Truth

LABELS = (
    "metric_date", "client_id", "subdomain", "administrator", "call_direction", "source",
    "call_type",
)  # fmt: skip
CRITERIA = {
    "greeting": "Приветствие", "patient_name": "Имя пациента",
    "needs_identification": "Выявление потребностей",
    "question_clarification": "Уточнение вопроса", "appeal": "Апелляция",
    "service_presentation": "Презентация услуги", "clinic_presentation": "Презентация клиники",
    "doctor_presentation": "Презентация врача", "appointment": "Запись", "price": "Цена",
    "expertise": "Экспертность", "next_step": "Следующий шаг",
    "patient_booking": "Запись на прием", "emotional_tone": "Эмоциональный окрас",
    "speech": "Речь", "initiative": "Инициатива", "clinic_address": "Адрес клиники",
    "passport": "Паспорт", "objection_handling": "Работа с возражениями",
}  # fmt: skip
Row = dict[str, Any]
Key = tuple[Any, ...]


def daily(calls: list[Truth]) -> dict[Key, Row]:
    return {labels: _daily_row(group) for labels, group in _groups(calls).items()}


def criteria(calls: list[Truth]) -> dict[Key, Row]:
    found: dict[Key, Row] = {}
    for labels, group in _groups(calls).items():
        for key, name in CRITERIA.items():
            scores = [call.scores[key] for call in group if key in call.scores]
            if scores:
                found[*labels, name] = {
                    "total_score": sum(scores), "scored_calls_count": len(scores),
                    "avg_score": sum(scores) / len(scores),
                }  # fmt: skip
    return found


def details(calls: list[Truth]) -> dict[str, Row]:
    return {
        call.call_id: {
            "metric_date": date.fromisoformat(call.day), "administrator": call.administrator,
            "recommendations_text": "\n".join(call.recommendations),
            "client_id": call.client_id, "call_type": TYPES[call.type_id or 0],
        }
        for call in calls if call.is_exported
    }  # fmt: skip


def week_of(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)


def _groups(calls: list[Truth]) -> dict[Key, list[Truth]]:
    found: dict[Key, list[Truth]] = defaultdict(list)
    for call in calls:
        if call.is_exported:
            labels = (
                date.fromisoformat(call.day), call.client_id,
                SUBDOMAINS.get(call.client_id, "strange"), call.administrator, call.direction,
                call.source, TYPES[call.type_id or 0],
            )  # fmt: skip
            found[labels].append(call)
    return found


def _daily_row(group: list[Truth]) -> Row:
    scored = [call.overall for call in group if call.overall]
    speeds = [call.speed for call in group if call.speed]
    converted = sum(call.converted for call in group)
    seconds = sum(call.duration for call in group)
    return {
        "total_calls": len(group),
        "converted_calls": converted,
        "conversion_rate": converted / len(group),
        "total_duration_seconds": seconds,
        "avg_duration_seconds": seconds / len(group),
        "total_overall_score": sum(scored),
        "scored_calls_count": len(scored),
        "fg_percent": sum(scored) / len(scored) / 10 * 100 if scored else None,
        "total_processing_speed_minutes": sum(speeds),
        "calls_with_processing_speed_count": len(speeds),
        "avg_processing_speed_minutes": sum(speeds) / len(speeds) if speeds else None,
    }
