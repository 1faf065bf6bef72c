"""The CRM's "processing speed" labels as minutes (contract 4.5)."""

import re

_MINUTES = {
    "0мин": 0,
    "5-10мин": 5,
    "10-15мин": 10,
    "15-30мин": 15,
    "30-1час": 30,
    "1-3часа": 60,
    "3-6часов": 180,
    "6-12часов": 360,
    "12-1день": 720,
    "1-3дня": 1440,
}
# Six digits: a longer number is no time, and one beyond 64 bits cannot be stored.
_LEADING_MINUTES = re.compile(r"^(\d{1,6})(?:-\d{1,6})?мин")


def processing_speed_minutes(label: str) -> int:
    """Minutes behind a label such as "15 - 30 мин"; 0 for an unknown one."""
    compact = re.sub(r"\s+", "", label.lower()).replace("–", "-").replace("—", "-")
    if compact in _MINUTES:
        return _MINUTES[compact]
    leading = _LEADING_MINUTES.match(compact)
    return int(leading[1]) if leading else 0
