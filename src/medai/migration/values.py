"""Values of old documents in every form they were written in (contract 2). Pure; never raises."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from medai.kit.clock import to_milliseconds
from medai.kit.text import clean

_LARGEST = 2**63 - 1
_LONGEST_NUMBER = 40
_LONGEST_CALL_SECONDS = 86_400
_DEEPEST = 20
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MILLISECONDS_FROM = 100_000_000_000
"""A number of seconds this large would be a moment of the year 5138."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{2})")
_DOTTED = re.compile(r"(\d{2})[.-](\d{2})[.-](\d{4})(.*)", re.DOTALL)
_YEAR_FIRST = re.compile(r"(\d{4})[.](\d{2})[.](\d{2})(.*)", re.DOTALL)
_WORDS = {"true": True, "1": True, "yes": True, "да": True}


def text(value: Any) -> str:
    """One line of text; empty for nothing and for structures."""
    if value is None or isinstance(value, bool | Mapping | list | tuple):
        return ""
    return " ".join(clean(str(value)).split())


def known(value: Any, *unknown: str) -> str:
    """The text, empty when it is one of the words the old system wrote for nothing."""
    found = text(value)
    return "" if found in unknown else found


def whole(value: Any) -> int | None:
    """A whole number of 64 bits written as a number or as digits; None for anything else."""
    found = number(value)
    if found is None or found != int(found):
        return None
    exact = int(value) if isinstance(value, int) else _digits(value, found)
    return exact if -_LARGEST <= exact <= _LARGEST else None


def number(value: Any) -> float | None:
    """A finite number written as a number or as digits; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) <= _LARGEST and math.isfinite(value) else None
    shown = str(value).strip()
    if not _NUMBER.fullmatch(shown) or len(shown) > _LONGEST_NUMBER:
        return None
    return float(shown.replace(",", "."))


def is_true(value: Any) -> bool:
    """Whether a flag is set, in whatever form it was written."""
    return value is True or _WORDS.get(str(value).strip().lower(), False)


def seconds(value: Any) -> int | None:
    """A call's duration: seconds as a number or digits, or M:SS; None for anything else, below 0
    or above a day."""
    found = number(value)
    if found is None and (clock := _CLOCK.fullmatch(text(value))):
        hours, minutes, rest = (int(part or 0) for part in clock.groups())
        found = hours * 3600 + minutes * 60 + rest
    return round(found) if found is not None and 0 <= found <= _LONGEST_CALL_SECONDS else None


def moment(value: Any, tz: ZoneInfo | None = None) -> datetime | None:
    """An aware UTC moment: BSON date, Unix seconds or milliseconds, ISO, `YYYY-MM-DD HH:MM:SS`,
    `DD.MM.YYYY[ HH:MM[:SS]]`. Without an offset it is of `tz`, by default of UTC (contract 0: the
    containers had no zone). None for anything else and for years no call was made in.
    """
    if isinstance(value, Mapping):  # extended JSON of a hand-made import
        value = value.get("$date")
        value = value.get("$numberLong") if isinstance(value, Mapping) else value
    found = _from_number(value) or _from_text(value)
    if isinstance(value, datetime):
        found = value
    if found is None:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=tz or UTC)
    if not _FIRST_YEAR <= aware.year < _LAST_YEAR:
        return None
    return to_milliseconds(aware)


def day(value: Any, tz: ZoneInfo) -> date | None:
    """A calendar day. A BSON date at midnight UTC names that day; another one the day of `tz`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    found = moment(value)
    if found is None:
        return None
    at_midnight = found == found.replace(hour=0, minute=0, second=0, microsecond=0)
    is_text = isinstance(value, str)
    return found.date() if at_midnight or is_text else found.astimezone(tz).date()


def texts(value: Any) -> tuple[str, ...]:
    """A list of lines; a single text is a list of one."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence):
        return ()
    return tuple(line for line in map(text, value) if line)


def plain(value: Any, depth: int = 0) -> Any:
    """The value as our stores keep it: ids and unknown types as text, keys without dots."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return to_milliseconds(aware)
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item, depth + 1) for item in value]
    return clean(str(value))


def size(value: Any) -> int:
    """About how many bytes a plain value takes in BSON; never less."""
    if isinstance(value, str):
        return len(value.encode(errors="replace")) + 8
    if isinstance(value, Mapping):
        return 8 + sum(size(str(key)) + size(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return 8 + sum(8 + size(item) for item in value)
    return 8


def first(*values: Any) -> Any:
    """The first value that is not None."""
    return next((value for value in values if value is not None), None)


def _digits(value: Any, found: float) -> int:
    shown = str(value).strip()
    return int(shown) if shown.lstrip("+-").isdecimal() else int(found)


def _key(key: Any) -> str:
    name = clean(str(key)).replace(".", "_").replace("$", "_")
    return name or "_"


def _from_number(value: Any) -> datetime | None:
    found = number(value)
    if found is None or found <= 0:
        return None
    if found >= _MILLISECONDS_FROM:
        found /= 1000
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=found)
    except OverflowError:
        return None


def _from_text(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    shown = value.strip()
    if dotted := _DOTTED.fullmatch(shown):
        shown = f"{dotted[3]}-{dotted[2]}-{dotted[1]}{dotted[4]}"
    elif dotted := _YEAR_FIRST.fullmatch(shown):
        shown = f"{dotted[1]}-{dotted[2]}-{dotted[3]}{dotted[4]}"
    try:
        return datetime.fromisoformat(shown)
    except ValueError:
        return None
