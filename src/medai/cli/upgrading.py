"""What an upgrade of the replaced system's documents tells (contract 2)."""

from collections.abc import Iterable, Iterator

from medai.migration.kinds import KINDS
from medai.migration.report import FilesTally, Report, Seen, Tally

_TITLES = {kind.name: kind.title for kind in KINDS}
_FILES = {"transcript": "расшифровки", "audio": "записи", "analysis": "анализы", "report": "отчёты"}
_CODES = {
    "duplicate": "повторы ключа (оставлен самый полный документ)",
    "unreadable": "документ не читается",
    "call_without_clinic": "звонок без client_id",
    "call_without_time": "звонок без даты",
    "call_without_note_id": "без note_id (номер составлен из _id)",
    "call_of_unknown_clinic": "звонок неизвестной клиники",
    "note_id_is_an_event": "вместо note_id номер события",
    "time_from_another_field": "без created_at (время взято из другого поля)",
    "unreadable_duration": "длительность не от 0 до суток (сохранена в legacy)",
    "day_corrected": "день исправлен на день звонка",
    "old_metric_names": "прежние или чужие критерии (сохранены в legacy)",
    "unreadable_scores": "оценка не число 0-10 (сохранена в legacy)",
    "analysis_without_scores": "анализ отмечен, оценок нет",
    "analysis_without_call_type": "оценки без типа звонка (сохранены в legacy)",
    "too_large": "больше 15 МБ (большие поля остались только в old_…)",
    "id_of_another_document": "чужой _id (выдан новый)",
    "clinic_without_client_id": "клиника без client_id",
    "scalar_telegram_ids": "telegram_ids не списком (владельцы сохранены)",
    "unreadable_telegram_ids": "telegram_ids не числа (сохранены в legacy, пригласите владельцев)",
    "unreadable_conversion_config": "цели конверсии не читаются (найдутся заново)",
    "administrator_of_unknown_clinic": "администратор неизвестной клиники",
    "shift_without_day_or_clinic": "смена без дня или клиники",
    "token_without_clinic_or_text": "токен без клиники или пустой",
    "token_without_end": "токен без срока (обновится при первом обращении)",
    "conclusions_without_clinic_or_period": "выводы без клиники или периода",
    "file_is_no_transcript": "файл не расшифровка (не внесён)",
    "file_is_no_audio": "файл не аудио (не внесён)",
    "transcript_without_mark": "расшифровка была, отметки не было",
    "unsafe_file_name": "имя файла ведёт из папки (не открыт)",
}


def upgrade_lines(report: Report) -> Iterator[str]:
    """The report, line by line; ids only, no names, phones or words of anybody."""
    if report.is_empty:
        yield "Документов прежней системы нет"
    elif report.is_dry:
        yield "Проба: ничего не изменено"
    else:
        yield "Продолжено и закончено" if report.was_resumed else "Документы обновлены"
    for name, tally in report.parts.items():
        yield from _part(_TITLES[name], tally)
    if report.left_alone:
        several = ", ".join(f"{name} {count}" for name, count in report.left_alone.items())
        yield f"Не нужны и не тронуты: {several}"
    if report.archives:
        yield f"Прежние документы лежат в {', '.join(report.archives.values())}"
    if report.days:
        yield f"Дней для medai export: {report.days}"
    if report.files:
        yield from _files(report.files)


def _part(title: str, tally: Tally) -> Iterator[str]:
    counts = {
        "прочитано": tally.read,
        "годных": tally.kept,
        "повторов": tally.copies,
        "отложено": tally.aside,
        "уже нового вида": tally.ours,
    }
    always = ("прочитано", "годных")
    shown = (f"{name} {n}" for name, n in counts.items() if n or name in always)
    yield f"{title}: {', '.join(shown)}"
    yield from _seen(tally.seen.items())


def _files(tally: FilesTally) -> Iterator[str]:
    for kind, title in _FILES.items():
        counts = {"внесено": tally.brought, "уже есть": tally.present, "нет файла": tally.missing}
        shown = [f"{name} {found[kind]}" for name, found in counts.items() if kind in found]
        if shown:
            yield f"Файлы, {title}: {', '.join(shown)}"
    yield from _seen(tally.seen.items())


def _seen(found: Iterable[tuple[str, Seen]]) -> Iterator[str]:
    for code, seen in sorted(found):
        more = " …" if seen.count > len(seen.examples) else ""
        yield f"  {_CODES[code]}: {seen.count} ({', '.join(seen.examples)}{more})"
