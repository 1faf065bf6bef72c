"""Words of the digests: what people are told every morning and every Monday."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from medai.bot.texts.common import label, plain, units
from medai.digests.models import Morning, OwnMorning, Reason, Weekly, WorthHearing
from medai.kit.phones import dialled
from medai.limits.state import LimitState, PeriodState
from medai.reports import format_ru as ru
from medai.reports.models import Group

LONGEST_CAPTION = 1024
_ROOM = 3900
"""Of 4,096 UTF-16 units of a message (telegram.md 5)."""
_WAITING, _PEOPLE, _BEST_PEOPLE, _LOSSES, _MISSING = 5, 12, 3, 3, 4
_QUOTE = 200
_POINTS = "п. п."
_REASONS = {
    Reason.LOST_PATIENT: "Первичный пациент не записался",
    Reason.LOWEST: "Самая низкая оценка",
    Reason.BEST: "Есть за что похвалить",
}
_PERIODS = {"month": "месяц", "week": "неделя"}


def morning(digest: Morning, *, owner: bool) -> str:
    """A clinic's yesterday: owners see the minutes, managers every administrator."""
    return fitted(_morning(digest, owner=owner))


def own_morning(digest: OwnMorning) -> str:
    """An administrator's own yesterday: what went well comes first, nothing is a verdict."""
    return fitted(_own(digest))


def weekly(digest: Weekly) -> str:
    """The caption of the week's picture."""
    return fitted(_weekly(digest), LONGEST_CAPTION - 24)


def call_label(number: int, one: WorthHearing, tz: ZoneInfo) -> str:
    """The button that opens a call."""
    return f"▶️ {number}. {one.at.astimezone(tz):%H:%M} {label(one.administrator, 40)}"


def quoted(one: WorthHearing) -> str:
    """The criterion that tells most with its words; empty without a stored proof."""
    if not one.criterion:
        return ""
    score = "" if one.score is None else f" — {one.score} из 10"
    said = f": «{plain(one.quote, _QUOTE)}»" if one.quote else ""
    return f"<i>{plain(one.criterion)}{score}{said or _remark(one)}</i>"


def not_heard(one: WorthHearing) -> str:
    """What the talk lacked altogether; empty for one that lacked nothing."""
    names = ", ".join(plain(name).lower() for name in one.missing[:_MISSING])
    return f"Не прозвучало: {names}" if names else ""


def fitted(lines: Iterator[str], room: int = _ROOM) -> str:
    """As many of the lines, whole, as there is room for; Telegram counts what is shown."""
    found: list[str] = []
    left = room
    for line in lines:
        size = units(line) + 1
        if size > left:
            found.append("…")
            break
        found.append(line)
        left -= size
    return "\n".join(found).strip()


def _remark(one: WorthHearing) -> str:
    return f": {plain(one.comment, _QUOTE)}" if one.comment else ""


def _morning(digest: Morning, *, owner: bool) -> Iterator[str]:
    yield f"☀️ <b>{plain(digest.clinic_name)}</b>"
    yield f"Вчера, {ru.full_day(digest.day)}"
    yield ""
    if not digest.calls:
        yield "Звонков за этот день нет."
        yield from _minutes(digest.limits) if owner else ()
        return
    figures = digest.figures
    yield (
        f"📞 Звонков: <b>{ru.integer(digest.calls)}</b>, разговоров {ru.integer(digest.talks)},"
        f" с оценкой {ru.integer(figures.calls)}"
    )
    yield from _missed(digest)
    yield f"✅ Записались: <b>{ru.integer(figures.converted)}</b>"
    yield (
        f"📈 Конверсия: <b>{ru.percent(figures.conversion)}</b>"
        f"{_against(figures.conversion, digest.week.conversion)}"
    )
    yield f"⭐️ Качество (FG): <b>{ru.percent_points(figures.fg_percent)}</b>"
    if digest.unfinished:
        yield f"⏳ Ещё в работе: {ru.calls(digest.unfinished)}, цифры уточнятся"
    if not owner:
        yield from _people(digest.administrators)
    yield from _worth(digest.worth, digest.tz)
    if owner:
        yield from _minutes(digest.limits)


def _missed(digest: Morning) -> Iterator[str]:
    missed = digest.missed
    if not missed.calls:
        yield "📵 Пропущенных нет"
        return
    numbers = ru.counted(missed.patients, "номер", "номера", "номеров")
    yield (
        f"📵 Пропущено: <b>{ru.integer(missed.calls)}</b> ({numbers}),"
        f" перезвонили: {ru.integer(missed.returned)}"
    )
    for one in missed.waiting[:_WAITING]:
        times = ru.counted(one.times, "попытка", "попытки", "попыток")
        phone = plain(dialled(one.phone)) or "—"
        yield f"   • {one.at.astimezone(digest.tz):%H:%M} {phone}, {times}"
    if (more := len(missed.waiting) - _WAITING) > 0:
        numbers = ru.counted(more, "номер ждёт", "номера ждут", "номеров ждут")
        yield f"   • и ещё {numbers} звонка"


def _against(now: float | None, before: float | None) -> str:
    if before is None:
        return ""
    told = f"за неделю до этого {ru.percent(before)}"
    if now is None:
        return f" ({told})"
    return f" ({told}, {ru.signed((now - before) * 100)} {_POINTS})"


def _people(groups: Sequence[Group]) -> Iterator[str]:
    if groups:
        yield ""
        yield "<b>Администраторы</b>"
    for group in groups[:_PEOPLE]:
        figures = group.figures
        yield (
            f"• {plain(group.name)}: {ru.calls(figures.calls)},"
            f" {ru.counted(figures.converted, 'запись', 'записи', 'записей')},"
            f" FG {ru.percent_points(figures.fg_percent)}"
        )


def _worth(worth: Sequence[WorthHearing], tz: ZoneInfo) -> Iterator[str]:
    if worth:
        yield ""
        yield "<b>Стоит послушать</b>"
    for number, one in enumerate(worth, start=1):
        yield (
            f"{number}. {_REASONS[one.reason]}: {one.at.astimezone(tz):%H:%M},"
            f" {plain(one.administrator)}, {ru.decimal(one.overall)} из 10"
        )
        if told := quoted(one):
            yield told
        if one.reason is Reason.LOST_PATIENT and (lacked := not_heard(one)):
            yield lacked


def _minutes(limits: LimitState) -> Iterator[str]:
    yield ""
    yield "<b>Минуты расшифровки</b>"
    for period in (limits.month, limits.week):
        used, limit = period.used_seconds // 60, period.limit_seconds // 60
        yield (
            f"• {_PERIODS[period.kind]}: {ru.integer(used)} из {ru.integer(limit)}"
            f" ({ru.percent_points(period.percent)}), {_forecast(period, limits.tz)}"
        )


def _forecast(period: PeriodState, tz: ZoneInfo) -> str:
    if period.left_seconds <= 0:
        return f"закончились до {ru.short_day(period.resets_at.astimezone(tz).date())}"
    if period.runs_out_at is None:
        return "хватит"
    return f"закончатся {ru.short_day(period.runs_out_at.astimezone(tz).date())}"


def _own(digest: OwnMorning) -> Iterator[str]:
    figures = digest.figures
    yield f"☀️ <b>Ваши звонки за вчера</b>, {ru.full_day(digest.day)}"
    yield plain(digest.clinic_name)
    yield ""
    yield f"📞 С оценкой: <b>{ru.calls(figures.calls)}</b>"
    yield f"✅ Записались: <b>{ru.integer(figures.converted)}</b>"
    yield f"⭐️ Ваш FG: <b>{ru.percent_points(figures.fg_percent)}</b>{_own_trend(digest)}"
    for one in own_worth(digest):
        at = f"{one.at.astimezone(digest.tz):%H:%M}"
        yield ""
        if one.reason is Reason.BEST:
            yield f"👏 Звонок, которым можно гордиться: {at}, {ru.decimal(one.overall)} из 10"
        else:
            yield f"💡 Можно переслушать и взять на заметку: {at}"
        if told := quoted(one):
            yield told


def own_worth(digest: OwnMorning) -> list[WorthHearing]:
    """Praise first; one call to learn from is enough for a morning."""
    best = [one for one in digest.worth if one.reason is Reason.BEST]
    others = [one for one in digest.worth if one.reason is not Reason.BEST]
    return [*best, *others[:1]]


def _own_trend(digest: OwnMorning) -> str:
    now, before = digest.figures.fg_percent, digest.week_fg
    if now is None or before is None:
        return ""
    if abs(now - before) < 1:
        return ", как на прошлой неделе"
    if now > before:
        return f", на {ru.decimal(now - before)} {_POINTS} выше вашей прошлой недели 👍"
    return f", обычно у вас {ru.percent_points(before)}"


def _weekly(digest: Weekly) -> Iterator[str]:
    now, before = digest.current, digest.previous
    yield f"📊 <b>{plain(digest.clinic_name)}</b>"
    yield f"Неделя {ru.period(digest.days)}"
    yield ""
    if not now.calls:
        yield "Звонков с оценкой за неделю нет."
        return
    yield f"📞 С оценкой: <b>{ru.calls(now.calls)}</b>{_more(digest)}"
    yield (
        f"✅ Записались: <b>{ru.integer(now.converted)}</b>, конверсия"
        f" <b>{ru.percent(now.conversion)}</b>"
        f"{_change(now.conversion, before.conversion if before else None, 100)}"
    )
    yield (
        f"⭐️ FG: <b>{ru.percent_points(now.fg_percent)}</b>"
        f"{_change(now.fg_percent, before.fg_percent if before else None, 1)}"
    )
    yield ""
    trend = [
        f"{ru.short_day(week.days.first)} {ru.percent(week.booked.conversion)}"
        for week in digest.trend
        if week.booked.calls
    ]
    if len(trend) > 1:
        yield "Конверсия по неделям: " + " → ".join(trend)
    if digest.losses:
        yield "Почему чаще всего не записывались: " + ", ".join(
            f"{one.name.lower()} ({ru.integer(one.calls)})" for one in digest.losses[:_LOSSES]
        )
    for group in digest.administrators[:_BEST_PEOPLE]:
        yield (
            f"• {plain(group.name, 40)}: {ru.calls(group.figures.calls)},"
            f" конверсия {ru.percent(group.figures.conversion)}"
        )


def _more(digest: Weekly) -> str:
    if digest.previous is None:
        return ""
    return f" ({ru.signed(digest.current.calls - digest.previous.calls, 0)} к прошлой неделе)"


def _change(now: float | None, before: float | None, times: float) -> str:
    if now is None or before is None:
        return ""
    return f" ({ru.signed((now - before) * times)} {_POINTS})"
