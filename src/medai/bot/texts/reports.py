"""Words of the report flow."""

import re
from collections.abc import Sequence

from medai.bot.texts.common import label, plain
from medai.kit.days import DayRange
from medai.reports import format_ru as ru

WEEK, MONTH, QUARTER, OWN = "Неделя", "Месяц", "Квартал", "Свои даты"
ALL, NEXT = "Все администраторы", "Дальше ➡️"
YES, NO = "✅ Создать", "✖️ Отмена"
CHOSEN, NOT_CHOSEN = "☑️", "▫️"
OPEN_PDF, OPEN_EXCEL, OPEN_PEOPLE = "Открыть PDF", "Открыть Excel", "Открыть PDF о людях"
MONTHS = (
    "Январь", "Февраль", "Март", "Апрель", "Май", "Июнь",
    "Июль", "Август", "Сентябрь", "Октябрь", "Ноябрь", "Декабрь",
)  # fmt: skip
MOST_NAMED = 5
REPORT_FILE, PEOPLE_FILE = "Отчёт", "Администраторы"
_UNFIT = re.compile(r'[\\/:*?"<>|]')
"""What file systems refuse."""


def choose_period() -> str:
    """The question of the period."""
    return "<b>Отчёт</b>\nЗа какой период?"


def ask_first() -> str:
    """The question of the first day."""
    return "Первый день отчёта: выберите в календаре или напишите ДД.ММ.ГГГГ"


def ask_last(first: str) -> str:
    """The question of the last day."""
    return f"Первый день: {first}\nПоследний день: выберите в календаре или напишите ДД.ММ.ГГГГ"


def choose_people(days: DayRange, chosen: int, more: int) -> str:
    """The question of the administrators."""
    counted = ru.counted(chosen, "администратор", "администратора", "администраторов")
    told = f"\nВыбрано: {counted}" if chosen else ""
    unshown = ru.counted(more, "администратор", "администратора", "администраторов")
    hidden = f"\nВ списке нет ещё: {unshown}. Эти звонки войдут в отчёт по всем" if more else ""
    return (
        f"<b>Отчёт, {ru.period(days)}</b>\nПо кому? Отметьте людей или выберите всех.{told}{hidden}"
    )


def nobody_chosen() -> str:
    """Next without a choice."""
    return "Отметьте хотя бы одного или выберите всех"


def confirm(days: DayRange, names: Sequence[str], *, own: bool) -> str:
    """The confirmation."""
    return f"<b>Отчёт, {ru.period(days)}</b>\n{whose(names, own=own)}\n{files(names, own=own)}"


def whose(names: Sequence[str], *, own: bool) -> str:
    """Whose calls are in the report."""
    if own:
        return "Только ваши звонки и оценки"
    if not names:
        return "Все администраторы"
    shown = ", ".join(plain(name, 60) for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"Только звонки: {shown}" + (f" и ещё {more}" if more > 0 else "")


def files(names: Sequence[str], *, own: bool) -> str:
    """What comes."""
    people = " и PDF о вас с цитатами" if own else " и PDF по людям с цитатами" if names else ""
    return f"Пришлю график, PDF, Excel{people}." if people else "Пришлю график, PDF и Excel."


def declined() -> str:
    """After "no"; the periods are below."""
    return "Отчёт отменён. Можно выбрать другой период."


def making(step: str, seconds: int) -> str:
    """While the report is made."""
    elapsed = f"\nПрошло {seconds}{ru.NBSP}с" if seconds else ""
    return f"⏳ Готовлю отчёт: {step}…{elapsed}"


def role_changed() -> str:
    """Another role while the report was made."""
    return "Ваша роль изменилась: создайте отчёт заново"


COUNTING, SENDING = "считаю и верстаю", "отправляю файлы"


def chart_caption(days: DayRange, names: Sequence[str], *, own: bool) -> str:
    """Below the picture."""
    return f"Звонки с оценкой, {ru.period(days)}\n{whose(names, own=own)}"


def file_name(title: str, clinic: str, days: DayRange, stored: str) -> str:
    """How the person finds the file again: «Отчёт Альфа Дент 14.11.2026-20.11.2026.pdf»."""
    name = _UNFIT.sub(" ", label(f"{title} {clinic}", 80))
    period = f"{days.first:%d.%m.%Y}-{days.last:%d.%m.%Y}"
    return f"{' '.join(name.split())} {period}.{stored.rpartition('.')[2]}"


def caption(clinic: str, days: DayRange) -> str:
    """Below a file."""
    return f"{plain(clinic)}, {ru.period(days)}"


def ready(days: DayRange, names: Sequence[str], *, own: bool, large: int) -> str:
    """At the end."""
    told = "\nФайлы больше 45 МБ — по ссылкам ниже" if large else ""
    return f"✅ Отчёт готов, {ru.period(days)}\n{whose(names, own=own)}{told}"


def link(words: str, url: str) -> str:
    """A file that is too large for Telegram, as a link in words."""
    return f'\n<a href="{plain(url, 2000)}">{words}</a>'
