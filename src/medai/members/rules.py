"""What follows from roles and texts alone."""

import re

from medai.errors import InvalidInputError
from medai.members.models import Membership, Role

_PERSON = "telegram:"
"""Begins the name of a person of the bot wherever somebody is noted as the doer."""
_LINK = re.compile(r"[?&]start=([A-Za-z0-9_-]{1,64})")
BY_CLI = "cli"
"""Who works at the command line, in the same logs."""
LONGEST_ADMINISTRATOR = 120
_NOBODY = frozenset({"неизвестный", "неизвестный администратор"})
"""What calls carry when nobody was recognised (contract 2.1): such calls are nobody's own."""


def person(telegram_id: int) -> str:
    """How the person is named in logs of who did what."""
    return f"{_PERSON}{telegram_id}"


def person_id(by: str) -> int | None:
    """The Telegram id behind such a name; None for a key, the command line, an old document."""
    digits = by.removeprefix(_PERSON)
    return int(digits) if digits != by and digits.isascii() and digits.isdigit() else None


def key_holder(name: str) -> str:
    """How the holder of an API key is named there; never taken for a person, whatever the name."""
    return f"api:{name}"


def sees(membership: Membership, administrator: str) -> bool:
    """Whether the member may see a call of that administrator (`Call.administrator`)."""
    own = membership.administrator
    return membership.role.sees_everyone or (bool(own) and own == administrator)


def named_administrator(role: Role, administrator: str) -> str:
    """The administrator an invitation is about, "" for other roles. Raises InvalidInputError."""
    name = administrator.strip()
    if role is not Role.ADMINISTRATOR:
        if name:
            raise InvalidInputError("Имя администратора указывают только для роли administrator")
        return ""
    if len(name) > LONGEST_ADMINISTRATOR:
        raise InvalidInputError(f"Имя администратора длиннее {LONGEST_ADMINISTRATOR} знаков")
    if not any(map(str.isalnum, name)):  # a name of invisible letters is none
        raise InvalidInputError("Назовите администратора так, как он подписан в звонках")
    if name.casefold() in _NOBODY:
        raise InvalidInputError("Звонки без администратора никому не принадлежат: назовите имя")
    return name


def invitation_link(bot_name: str, code: str) -> str | None:
    """The link that opens the bot with the code, None while the bot's name is not known."""
    name = bot_name.strip().removeprefix("@")
    return f"https://t.me/{name}?start={code}" if name else None


def code_in(text: str) -> str:
    """The code a person typed, alone or within the whole t.me link."""
    found = _LINK.search(text)
    return found[1] if found else text.strip()
