"""Where a dialogue waits for words."""

from aiogram.fsm.state import State, StatesGroup


class Leads(StatesGroup):
    """The calls of a day."""

    day = State()


class Report(StatesGroup):
    """A report."""

    period = State()
    first = State()
    last = State()
    people = State()
    sure = State()


class Invite(StatesGroup):
    """Letting somebody in."""

    role = State()
    administrator = State()
