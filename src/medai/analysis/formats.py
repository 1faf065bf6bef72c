"""The analysis as a text file for people (contract 7)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from medai.analysis.models import CallAnalysis, CriterionScore, Evidence
from medai.calls.models import Call

NO_PHONE = "Неизвестно"
_FILENAME = re.compile(r"([A-Za-z0-9_-]{1,64})_analysis\.txt")


@dataclass(frozen=True, slots=True)
class Heading:
    """What the file tells besides the call itself: the clinic and the zone of its clock."""

    clinic: str
    zone: tzinfo


def analysis_filename(call_id: str) -> str:
    """The file's name, which clients know as `analysis_id` (contract 2.1)."""
    return f"{call_id}_analysis.txt"


def analysed_call(filename: str) -> str | None:
    """The id of the call whose analysis has this file name; None for other names."""
    found = _FILENAME.fullmatch(filename)
    return found[1] if found else None


def analysis_text(call: Call, analysis: CallAnalysis, heading: Heading) -> str:
    """The whole file, UTF-8 text with a line break at its end; times in the clinic's zone."""
    blocks = [
        [f"Анализ звонка: {call.phone or NO_PHONE}"],
        list(_metadata(call, analysis, heading)),
        [f"Тип звонка: {analysis.call_type.label}", f"Пояснение: {analysis.explanation}"],
        list(_scores(analysis)),
        [f"Общая оценка: {_number(analysis.overall)}/10", f"Конверсия (по CRM): {_booked(call)}"],
        list(_advice(analysis)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _metadata(call: Call, analysis: CallAnalysis, heading: Heading) -> Iterator[str]:
    started = call.started_at.astimezone(heading.zone)
    yield f"Дата и время: {started:%Y-%m-%d %H:%M:%S}"
    yield f"Клиника: {heading.clinic}"
    yield f"Администратор: {call.administrator}"
    yield f"Контакт: {call.contact_name}"
    yield f"ID примечания: {call.note_id}"
    yield f"ID контакта: {_id(call.contact_id)}"
    yield f"ID сделки: {_id(call.lead_id)}"
    yield f"Шкала: {analysis.scorecard_version}, модель: {analysis.model or 'не понадобилась'}"


def _scores(analysis: CallAnalysis) -> Iterator[str]:
    if not analysis.criteria:
        return
    yield "Критерии:"
    for each in analysis.criteria:
        yield f"{each.name}: {_shown(each)}{' (требует проверки)' if each.needs_review else ''}"
        if each.comment:
            yield f"  {each.comment}"
        for proof in each.evidence:
            yield f"  [{_clock(proof)}] «{' '.join(proof.quote.split())}»"


def _shown(score: CriterionScore) -> str:
    return "не оценивается" if score.score is None else f"{score.score}/10"


def _advice(analysis: CallAnalysis) -> Iterator[str]:
    if not analysis.recommendations:
        return
    yield "Рекомендации:"
    for number, each in enumerate(analysis.recommendations, start=1):
        yield f"{number}. {each}"


def _clock(proof: Evidence) -> str:
    minutes, seconds = divmod(proof.start_ms // 1000, 60)
    return f"{minutes:02d}:{seconds:02d}"


def _number(value: float) -> str:
    return f"{round(value, 2):g}"


def _booked(call: Call) -> str:
    return "да" if call.converted else "нет"


def _id(value: int | None) -> str:
    return "—" if value is None else str(value)
