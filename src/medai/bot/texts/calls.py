"""Words of the calls' flow."""

from collections.abc import Sequence
from datetime import date
from html import escape
from zoneinfo import ZoneInfo

from medai.analysis.models import CallAnalysis, CriterionScore
from medai.analysis.rendering import ROLE_NAMES
from medai.bot.texts.common import label, plain
from medai.calls.life import analyze_status, transcription_status
from medai.calls.models import Call, Direction, Step
from medai.kit.phones import dialled
from medai.kit.text import clean, shortened
from medai.reports import format_ru as ru

TODAY, YESTERDAY, DAY_BEFORE = "Сегодня", "Вчера", "Позавчера"
OTHER_DATE, OTHER_DAY, REFRESH = "Другая дата", "⬅️ К выбору дня", "🔄 Обновить из amoCRM"
TRANSCRIBE, TRANSCRIPT, ANALYSE = "📝 Расшифровать", "📄 Расшифровка", "📊 Оценка"
RECORDING, OPEN_TEXT, OPEN_SOUND = "🎧 Запись", "Открыть расшифровку", "Открыть запись"
TO_LEADS, TO_CALLS, TO_CALL = "⬅️ К сделкам", "⬅️ К звонкам", "⬅️ К звонку"

_ARROWS = {Direction.INBOUND: "⬇️", Direction.OUTBOUND: "⬆️", Direction.UNKNOWN: "↔️"}
_LONGEST_QUOTE, _LONGEST_COMMENT, _LONGEST_ADVICE = 220, 200, 500


def choose_day() -> str:
    """The question of the day."""
    return "За какой день показать звонки? Выберите или напишите дату: ДД.ММ.ГГГГ"


def ask_date() -> str:
    """After "other date"."""
    return "Напишите дату: ДД.ММ.ГГГГ"


def future_day() -> str:
    """A day that has not come."""
    return "Этот день ещё не наступил: выберите другой"


def reading(day: date, found: int, seconds: int) -> str:
    """While the CRM is read."""
    shown = f"\nНайдено: {ru.calls(found)}" if found else ""
    return f"⏳ Загружаю звонки за {ru.day(day)} из amoCRM…{shown}{_elapsed(seconds)}"


def reading_failed(message: str) -> str:
    """The CRM did not do what was asked; what is stored is shown below."""
    return f"⚠️ {escape(clean(message), quote=False)}"


def still_reading() -> str:
    """Nobody waits any longer, the work goes on."""
    return "⚠️ Загрузка ещё идёт: новые звонки появятся сами, обновите список позже."


def no_worker() -> str:
    """Nobody works."""
    return "⚠️ Обработчики не запущены, загрузка ждёт: сообщите тому, кто обслуживает систему."


def leads(day: date, calls: int, cards: int, page: int, last: int, notice: str = "") -> str:
    """Above the list of leads."""
    head = f"<b>Звонки за {ru.day(day)}</b>"
    told = f"{notice}\n\n" if notice else ""
    if not calls:
        return f"{told}{head}\nЗа этот день звонков нет."
    counted = ru.counted(cards, "сделка", "сделки", "сделок")
    at = f"\nСтраница {page + 1} из {last + 1}" if last else ""
    return f"{told}{head}\n{ru.calls(calls)}, {counted}{at}"


def lead_label(group: Sequence[Call]) -> str:
    """A lead's button."""
    return f"{label(lead_name(group[0]), 40)} · {ru.calls(len(group))}"


def lead_name(call: Call) -> str:
    """The card's title in the CRM."""
    if call.lead_name:
        return call.lead_name
    return f"Сделка {call.lead_id}" if call.lead_id else "Без сделки"


def lead(group: Sequence[Call], page: int, last: int) -> str:
    """Above the list of a lead's calls."""
    at = f"\nСтраница {page + 1} из {last + 1}" if last else ""
    return f"<b>{plain(lead_name(group[0]))}</b>\n{ru.calls(len(group))}{at}"


def call_label(call: Call, tz: ZoneInfo) -> str:
    """A call's button: direction, time, phone, length, administrator (contract 9)."""
    at = call.started_at.astimezone(tz)
    parts = (f"{at:%d.%m %H:%M}", dialled(call.phone), ru.minutes_seconds(call.duration_seconds))
    shown = " ".join(part for part in parts if part)
    return f"{_ARROWS[call.direction]} {label(f'{shown} {call.administrator}', 60)}"


def card(call: Call, tz: ZoneInfo) -> str:
    """The call's card."""
    lines = [
        f"<b>Звонок {ru.moment(call.started_at.astimezone(tz))}</b>",
        f"Направление: {call.direction.label}",
        *([f"Номер: {plain(dialled(call.phone))}"] if call.phone else []),
        f"Длительность: {ru.minutes_seconds(call.duration_seconds)}",
        f"Администратор: {plain(call.administrator)}",
        f"Расшифровка: {_transcription(call)}",
        f"Оценка: {_analysis(call)}",
        f"Запись на приём: {'да ✅' if call.converted else 'нет'}",
    ]
    return "\n".join(lines)


def transcribing(seconds: int) -> str:
    """While a call is transcribed."""
    return f"⏳ Расшифровываю звонок…{_elapsed(seconds)}"


def analysing(seconds: int) -> str:
    """While a call is analysed."""
    return f"⏳ Оцениваю звонок…{_elapsed(seconds)}"


def goes_on() -> str:
    """Nobody waits any longer."""
    return "⏳ Это займёт больше времени: откройте карточку звонка позже."


def transcript_caption(call: Call, tz: ZoneInfo) -> str:
    """Below the transcript's file."""
    return f"Расшифровка звонка {ru.moment(call.started_at.astimezone(tz))}"


def recording_caption(call: Call, tz: ZoneInfo) -> str:
    """Below the recording."""
    return f"Запись звонка {ru.moment(call.started_at.astimezone(tz))}"


def too_large(url: str) -> str:
    """A file that Telegram does not take."""
    opened = f'\n<a href="{escape(url)}">Открыть по ссылке</a>' if url else ""
    return f"Файл слишком большой для Telegram.{opened}"


def analysis(call: Call, found: CallAnalysis, tz: ZoneInfo) -> list[str]:
    """The analysis as lines; what belongs together is one of them."""
    lines = [
        f"<b>Оценка звонка {ru.moment(call.started_at.astimezone(tz))}</b>\n"
        f"Тип: {plain(found.call_type.label)}\n"
        f"Запись на приём: {'да ✅' if call.converted else 'нет'}\n"
        f"Общая оценка: <b>{_overall(found.overall)}</b>"
        + ("\n⚠️ Оценка требует проверки человеком" if found.needs_review else "")
    ]
    if found.criteria:
        lines.append("\n<b>По критериям</b>")
    lines += [_criterion(one) for one in found.criteria]
    if found.recommendations:
        lines.append("\n<b>Рекомендации</b>")
    lines += [
        f"{number}. {plain(text, _LONGEST_ADVICE)}"
        for number, text in enumerate(found.recommendations, start=1)
    ]
    return lines


def _criterion(one: CriterionScore) -> str:
    score = "не оценивается" if one.score is None else f"<b>{one.score}</b>"
    quotes = [
        f"<i>{ROLE_NAMES[said.role]} {_clock(said.start_ms)}:"
        f" «{plain(said.quote, _LONGEST_QUOTE)}»</i>"
        for said in one.evidence[:1]
    ]
    comment = [] if quotes or not one.comment else [plain(one.comment, _LONGEST_COMMENT)]
    review = " ⚠️" if one.needs_review else ""
    return "\n".join([f"• {plain(one.name)}: {score}{review}", *quotes, *comment])


def _transcription(call: Call) -> str:
    status = transcription_status(call)
    if status == "success":
        return "готова ✅"
    words = {"processing": "идёт", "limit_exceeded": "минуты клиники исчерпаны"}
    failure = call.failures.get(Step.TRANSCRIPTION) or call.failures.get(Step.RECORDING)
    if status == "failed" and failure:
        return f"не удалась — {plain(failure.message, 200)}"
    if status == "pending" and not (call.recording_url or call.audio):
        return "нет записи разговора"
    return words.get(status, "ещё нет")


def _analysis(call: Call) -> str:
    if call.analysis is not None:
        return f"{_overall(call.analysis.overall)}, {plain(call.analysis.call_type)}"
    status = analyze_status(call)
    failure = call.failures.get(Step.ANALYSIS)
    if status == "failed" and failure:
        return f"не удалась — {plain(failure.message, 200)}"
    return "идёт" if status == "processing" else "ещё нет"


def _overall(score: float) -> str:
    """A score of 0 is "not scored" (contract 3)."""
    return f"{ru.decimal(score)} из 10" if score else "не оценивается"


def _elapsed(seconds: int) -> str:
    return f"\nПрошло {seconds}{ru.NBSP}с" if seconds else ""


def _clock(milliseconds: int) -> str:
    return shortened(ru.minutes_seconds(milliseconds / 1000), 8)
