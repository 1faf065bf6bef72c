"""Numbers, dates and words as a Russian reader expects them: the only place that formats.

Groups of thousands and units are joined by a no-break space, decimals stand after a comma, a
missing figure is a dash.
"""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from medai.kit.days import DayRange

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
DASH = "—"
BOOKINGS = "Записи в CRM"
"""Never plain «Записи»: «Запись» is a criterion and a recording (contract 7 and 8)."""
WEEKDAY_NAMES = ("Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс")

_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_MONTH_TITLES = (
    "январь", "февраль", "март", "апрель", "май", "июнь",
    "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
)  # fmt: skip
LONGEST_WORD = 24
"""Longer runs of letters get invisible break points, or they would run out of their column.
Ordinary words stay whole: Typst would use the points wherever a line ends."""
_BREAK_EVERY = 8


def integer(value: int) -> str:
    """1234567 -> "1 234 567"."""
    return f"{value:,}".replace(",", NBSP).replace("-", MINUS)


def decimal(value: float | None, places: int = 1) -> str:
    """41.25 -> "41,3" (halves away from zero, as people round); None -> a dash."""
    if value is None:
        return DASH
    # repr before Decimal: 0.285 must round as the 0.285 a reader computes, not as 0.28499…
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if rounded == 0:
        rounded = abs(rounded)
    return f"{rounded:,f}".replace(",", NBSP).replace(".", ",").replace("-", MINUS)


def percent(fraction: float | None) -> str:
    """0.4231 -> "42,3 %"."""
    return DASH if fraction is None else percent_points(_hundredfold(fraction))


def percent_points(value: float | None) -> str:
    """74.1 (already 0-100) -> "74,1 %"."""
    return DASH if value is None else f"{decimal(value)}{NBSP}%"


def minutes_seconds(seconds: float | None) -> str:
    """194.6 -> "3:15"; minutes go on above 59 (contract 8: `M:SS`)."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{integer(minutes)}:{rest:02d}"


def minutes(value: float | None) -> str:
    """12.5 -> "12,5 мин"."""
    return DASH if value is None else f"{decimal(value)}{NBSP}мин"


def signed(value: float, places: int = 1) -> str:
    """-1.25 -> "−1,3"; 2 -> "+2,0"; what rounds to zero has no sign."""
    text = decimal(value, places)
    return f"+{text}" if value > 0 and text.strip("0,") else text


def day(value: date) -> str:
    """05.09.2026."""
    return value.strftime("%d.%m.%Y")


def short_day(value: date) -> str:
    """05.09."""
    return value.strftime("%d.%m")


def full_day(value: date) -> str:
    """5 сентября 2026."""
    return f"{_day_month(value)} {value.year}"


def moment(value: datetime) -> str:
    """05.09.2026 14:07, on the clock the value is given in."""
    return value.strftime("%d.%m.%Y %H:%M")


def period(days: DayRange) -> str:
    """A readable period: one day, a whole month, days of one month, or two full dates."""
    first, last = days.first, days.last
    if first == last:
        return full_day(first)
    if (first.year, first.month) == (last.year, last.month):
        if first.day == 1 and _is_month_end(last):
            return f"{_MONTH_TITLES[first.month - 1]} {first.year}"
        return f"{first.day}–{_day_month(last)} {last.year}"
    if first.year == last.year:
        return f"{_day_month(first)} – {_day_month(last)} {last.year}"
    return f"{_day_month(first)} {first.year} – {_day_month(last)} {last.year}"


def dates(days: DayRange) -> str:
    """01.09.2026 – 30.09.2026, or one date."""
    if days.first == days.last:
        return day(days.first)
    return f"{day(days.first)} – {day(days.last)}"


def plural(count: int, one: str, few: str, many: str) -> str:
    """The form of a noun after a count: 1 звонок, 2 звонка, 5 звонков."""
    tens, units = count % 100, count % 10
    if 10 < tens < 20 or units == 0 or units > 4:
        return many
    return one if units == 1 else few


def counted(count: int, one: str, few: str, many: str) -> str:
    """1 234 звонка."""
    return f"{integer(count)}{NBSP}{plural(count, one, few, many)}"


def calls(count: int) -> str:
    """1 234 звонка."""
    return counted(count, "звонок", "звонка", "звонков")


def to_calls(count: int) -> str:
    """43 звонкам: the dative."""
    return counted(count, "звонку", "звонкам", "звонкам")


def alphabetical(*names: str) -> tuple[str, ...]:
    """A sorting key in the order of the Russian alphabet: «ё» beside «е», case apart last."""
    return (*(name.casefold().replace("ё", "е") for name in names), *names)


def breakable(text: str, longest: int = LONGEST_WORD) -> str:
    """The text with zero-width spaces inside words of more than `longest` letters."""
    return re.sub(
        rf"[^\s-]{{{longest + 1},}}",
        lambda word: re.sub(f".{{{_BREAK_EVERY}}}", "\\g<0>\N{ZERO WIDTH SPACE}", word[0]),
        text,
    )


def _hundredfold(fraction: float) -> float:
    return float(Decimal(repr(float(fraction))) * 100)


def _day_month(value: date) -> str:
    return f"{value.day}{NBSP}{_MONTHS[value.month - 1]}"


def _is_month_end(value: date) -> bool:
    return value.month != date.fromordinal(value.toordinal() + 1).month
