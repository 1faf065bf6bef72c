"""Telephone numbers: one comparable form, one form that is safe in logs."""

import re

_COMPARED_DIGITS = 10
"""amoCRM matches a call to a card by the last ten digits (amocrm.md 5)."""


def digits(phone: str) -> str:
    """Only the digits: "+7 900 000-00-01" -> "79000000001"."""
    return re.sub(r"\D", "", phone)


def comparable(phone: str) -> str:
    """The last ten digits, so that 8…, 7… and +7… forms of one number are equal."""
    return digits(phone)[-_COMPARED_DIGITS:]


def dialled(phone: str) -> str:
    """One form for people, which a tap calls: "8 (900) 000-00-01" -> "+79000000001".

    Numbers that are not Russian stay as they came.
    """
    found = digits(phone)
    own = found[-_COMPARED_DIGITS:]
    if len(found) == _COMPARED_DIGITS + 1 and found[0] in "78":
        return f"+7{own}"
    return f"+7{own}" if len(found) == _COMPARED_DIGITS else phone.strip()


def masked(phone: str) -> str:
    """A form for logs and screens without access: only the last two digits remain."""
    found = digits(phone)
    return "•" * max(len(found) - 2, 0) + found[-2:] if found else ""
