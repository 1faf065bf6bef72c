"""The text file that people read (contract 7)."""

from zoneinfo import ZoneInfo

from tests.fixtures.analysis import (
    NOW,
    MemoryDocuments,
    ScriptedModel,
    call,
    classification,
    criterion,
    transcript,
)

from medai.analysis.formats import Heading, analysis_text
from medai.analysis.models import CallAnalysis, CallType
from medai.analysis.repository import AnalysisRepository
from medai.analysis.scorecards import scorecard
from medai.analysis.service import AnalysisService

HEADING = Heading(clinic="Ромашка", zone=ZoneInfo("Asia/Yekaterinburg"))
KEYS = scorecard(CallType.REPEAT).asked_keys


async def analysis(*script: dict[str, object]) -> CallAnalysis:
    service = AnalysisService(
        ScriptedModel(list(script)), AnalysisRepository(MemoryDocuments()), lambda: NOW
    )
    return await service.analyse(
        call(converted=True), transcript(), count_not_applicable_as_zero=False
    )


async def test_the_whole_file() -> None:
    criteria = {key: criterion(8, "добрый день", 1) for key in KEYS}
    criteria["objection_handling"] = criterion(None, applicable=False)
    criteria["speech"] = criterion(9)
    advice = ["Первый совет.", "Второй совет.", "Третий совет."]
    result = await analysis(
        classification(2),
        {"criteria": criteria, "recommendations": advice},
        {"criteria": {"speech": criterion(9)}},
    )
    subject = call(
        converted=True, contact_name="Марина", contact_id=7, lead_id=8, administrator="Алина П."
    )
    text = analysis_text(subject, result, HEADING)
    assert text.startswith(
        "Анализ звонка: +79000000001\n\n"
        "Дата и время: 2026-11-19 14:30:00\n"
        "Клиника: Ромашка\n"
        "Администратор: Алина П.\n"
        "Контакт: Марина\n"
        "ID примечания: 101\n"
        "ID контакта: 7\n"
        "ID сделки: 8\n"
        "Шкала: medai-1, модель: twin-1\n\n"
        "Тип звонка: вторичка\n"
        "Пояснение: Пациент обращается впервые.\n\n"
        "Критерии:\n"
        "Приветствие: 8/10\n"
        "  Так прозвучало.\n"
        "  [00:00] «Добрый день»\n"
    )
    assert "Запись на прием: 10/10\n  В CRM есть запись на приём\n" in text
    assert "Речь: 9/10 (требует проверки)\n" in text
    assert "Работа с возражениями: не оценивается\n" in text
    assert text.endswith(
        "Общая оценка: 8.33/10\n"
        "Конверсия (по CRM): да\n\n"
        "Рекомендации:\n1. Первый совет.\n2. Второй совет.\n3. Третий совет.\n"
    )


async def test_a_call_of_type_other_has_no_criteria_and_no_advice() -> None:
    result = await analysis(classification(5))
    text = analysis_text(call(phone=""), result, HEADING)
    assert text.startswith("Анализ звонка: Неизвестно\n")
    assert "Критерии" not in text
    assert "Рекомендации" not in text
    assert "Общая оценка: 0/10\nКонверсия (по CRM): нет\n" in text
