"""Buttons of notices. What they name is looked up and checked again with every tap."""

from enum import StrEnum

from aiogram.filters.callback_data import CallbackData


class Do(StrEnum):
    """What is done with a lost patient."""

    TAKE = "t"
    CALLED = "c"
    BOOKED = "b"
    REFUSED = "r"
    UNREACHED = "u"


class AlertAt(CallbackData, prefix="al"):
    """An alert."""

    alert: str
    do: Do


class OpenAt(CallbackData, prefix="op"):
    """A call whose card comes as a message of its own: the digest stays."""

    call: str
