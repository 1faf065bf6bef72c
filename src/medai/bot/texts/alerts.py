"""Words of alerts: a patient who is about to be lost, and what keeps the service from working."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from medai.bot.texts.common import plain
from medai.bot.texts.notices import fitted, not_heard, quoted
from medai.digests.models import PatientNotice
from medai.digests.nightly import ClinicNight, NightReport, NightState
from medai.digests.patients import Outcome
from medai.digests.troubles import Trouble, TroubleKind
from medai.kit.phones import dialled
from medai.reports import format_ru as ru

TAKE, CALLED_BACK, OPEN = "🙋 Беру", "📞 Перезвонили", "▶️ Открыть звонок"
BOOKED, REFUSED, UNREACHED = "✅ Записан", "✖️ Отказ", "📵 Не дозвонились"
OUTCOMES = {
    Outcome.BOOKED: "записан",
    Outcome.REFUSED: "отказ",
    Outcome.UNREACHED: "не дозвонились",
    Outcome.CRM: "запись появилась в CRM",
}
YOURS, NOTED = "Пациент за вами", "Отмечено"
TAKE_FIRST = "Сначала нажмите «Беру»"
_LONGEST_MESSAGE, _LONGEST_ERROR = 300, 50


def patient(notice: PatientNotice) -> str:
    """The call, why it is told, and who deals with it."""
    return fitted(_patient(notice))


def taken_by(name: str) -> str:
    """To the second one who taps."""
    return f"Пациента уже взял другой сотрудник: {name}"[:200]


def closed(outcome: Outcome) -> str:
    """To whoever taps a button of an alert that has ended."""
    return f"Уже закрыто: {OUTCOMES[outcome]}"


def trouble(one: Trouble) -> str:
    """What happened, what it means, and what to do."""
    return fitted(iter([*_head(one), *_advice(one)]))


def all_clear(one: Trouble) -> str:
    """It works again."""
    clinic = f"<b>{plain(one.clinic_name)}</b>: " if one.clinic_name else ""
    return f"✅ {clinic}{_OVER[one.kind]}"


def night(report: NightReport, tz: ZoneInfo) -> str:
    """The cron report of contract 10.1; clinics with trouble come first when there are many."""
    return fitted(_night(report, tz))


def _patient(notice: PatientNotice) -> Iterator[str]:
    call, alert = notice.call, notice.alert
    at = call.at.astimezone(notice.tz)
    yield "🚨 <b>Первичный пациент не записался</b>"
    yield plain(notice.clinic_name)
    yield f"{ru.moment(at)}, разговор {ru.minutes_seconds(notice.seconds)}"
    if notice.phone:
        yield f"Номер: {plain(dialled(notice.phone))}"
    yield f"Администратор: {plain(call.administrator)}, оценка {ru.decimal(call.overall)} из 10"
    if told := quoted(call):
        yield told
    if lacked := not_heard(call):
        yield lacked
    yield ""
    yield from _state(notice)
    if alert.outcome is not None:
        mark = "✅" if alert.outcome in (Outcome.BOOKED, Outcome.CRM) else "☑️"
        yield f"{mark} <b>Итог: {OUTCOMES[alert.outcome]}</b>"


def _state(notice: PatientNotice) -> Iterator[str]:
    alert, tz = notice.alert, notice.tz
    if alert.claimed_at is not None:
        yield f"🙋 Взял(а): {plain(alert.claimed_name)}, {alert.claimed_at.astimezone(tz):%H:%M}"
    elif alert.outcome is None:
        yield "Пока никто не взял: перезвоните, пока пациент не ушёл в другую клинику."
    if alert.called_back_at is not None:
        yield f"📞 Перезвонили в {alert.called_back_at.astimezone(tz):%H:%M}"


_TITLES = {
    TroubleKind.CRM: "🔌 amoCRM отключена",
    TroubleKind.SPEECH: "🎙 Расшифровка звонков остановлена",
    TroubleKind.MODEL: "🧠 Оценка звонков остановлена",
}
_MEANING = {
    TroubleKind.CRM: "Новые звонки не загружаются, заметки не пишутся. Ничего не потеряно: после"
    " подключения всё загрузится само.",
    TroubleKind.SPEECH: "Звонки ждут расшифровки и продолжат сами, как только сервис заработает.",
    TroubleKind.MODEL: "Расшифровки готовятся, оценки ждут и продолжат сами.",
}
_TO_DO = {
    TroubleKind.CRM: "Что делать: проверьте интеграцию и оплату в amoCRM и подключите клинику"
    " заново.",
    TroubleKind.SPEECH: "Что делать: проверьте ключ и баланс ElevenLabs.",
    TroubleKind.MODEL: "Что делать: проверьте ключ и баланс OpenAI.",
}
_OVER = {
    TroubleKind.CRM: "amoCRM снова подключена, звонки загружаются.",
    TroubleKind.SPEECH: "Расшифровка снова работает, очередь разбирается.",
    TroubleKind.MODEL: "Оценка снова работает, очередь разбирается.",
    TroubleKind.QUOTA: "минуты расшифровки снова есть.",
}
_OF_PERIOD = {"month": "месяца", "week": "недели"}
_NEXT_PERIOD = {"month": "следующего месяца", "week": "следующей недели"}


def _head(one: Trouble) -> Iterator[str]:
    if one.kind is TroubleKind.QUOTA:
        yield f"⏳ <b>{plain(one.clinic_name)}</b>"
        return
    yield f"<b>{_TITLES[one.kind]}</b>"
    if one.clinic_name:
        yield plain(one.clinic_name)
    if one.message:
        yield plain(one.message, _LONGEST_MESSAGE)


def _advice(one: Trouble) -> Iterator[str]:
    if one.kind is not TroubleKind.QUOTA:
        yield _MEANING[one.kind]
        yield _TO_DO[one.kind]
        return
    of, following = _OF_PERIOD[one.period], _NEXT_PERIOD[one.period]
    if one.percent < 100:
        yield f"Использовано {one.percent}{ru.NBSP}% минут {of}."
        yield "Что делать: если звонков много, увеличьте лимит заранее."
        return
    yield f"Минуты {of} закончились: новые звонки ждут."
    yield f"Что делать: увеличьте лимит; иначе расшифровка продолжится с начала {following}."


_ICONS = {
    NightState.DONE: "✅",
    NightState.PARTIAL: "⚠️",
    NightState.FAILED: "❌",
    NightState.RUNNING: "⏳",
    NightState.MISSING: "❔",
}
_WITHOUT_RUN = {
    NightState.RUNNING: "ещё идёт",
    NightState.MISSING: "ночной запуск не начинался",
}


def _night(report: NightReport, tz: ZoneInfo) -> Iterator[str]:
    bad = len(report.clinics) - report.good
    icon = "✅" if not bad else "⚠️" if report.good else "❌"
    yield f"{icon} <b>Ночная обработка MedAI</b>"
    yield f"Период: {ru.dates(report.days)}"
    yield f"Время: {_span(report, tz)}"
    if report.weekly:
        yield "Недельный анализ: да"
    yield ""
    yield (
        f"Клиник: {ru.integer(len(report.clinics))}, успешно {ru.integer(report.good)},"
        f" с ошибками {ru.integer(bad)}"
    )
    if report.limits:
        yield f"Предупреждений по лимитам: {ru.integer(report.limits)}"
    yield f"PostgreSQL: {'✅' if report.exported else '❌'}"
    yield ""
    for clinic in sorted(report.clinics, key=lambda one: one.state is NightState.DONE):
        yield from _clinic(clinic)


def _span(report: NightReport, tz: ZoneInfo) -> str:
    started = report.started_at.astimezone(tz)
    if report.finished_at is None:
        return f"начата {started:%d.%m %H:%M}, ещё не закончена"
    minutes = max(0, round((report.finished_at - report.started_at).total_seconds() / 60))
    return f"{started:%d.%m %H:%M}, {ru.integer(minutes)}{ru.NBSP}мин"


def _clinic(one: ClinicNight) -> Iterator[str]:
    parts = [f"{_ICONS[one.state]} {plain(one.name)}"]
    if one.state in _WITHOUT_RUN:
        parts.append(_WITHOUT_RUN[one.state])
    if one.state is not NightState.MISSING:
        parts.append(
            f"новых {ru.integer(one.synced)},"
            f" расшифровано {ru.integer(one.transcribed)}/{ru.integer(one.not_transcribed)},"
            f" оценено {ru.integer(one.analysed)}/{ru.integer(one.not_analysed)}"
        )
    if one.concluded is not None:
        parts.append(f"выводы {'✅' if one.concluded else '❌'}")
    if one.limit_percent:
        parts.append(f"лимит {one.limit_percent}{ru.NBSP}%")
    if one.error:
        parts.append(plain(one.error, _LONGEST_ERROR))
    yield " · ".join(parts)
