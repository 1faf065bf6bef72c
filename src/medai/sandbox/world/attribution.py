"""Who answered: contract 4.7, written for the sandbox independently."""

from collections.abc import Sequence

from medai.sandbox.world.book import find
from medai.sandbox.world.crm import Json
from medai.sandbox.world.profiles import Colleague

UNKNOWN = "Неизвестный администратор"


def by_crm(lead: Json | None, note_user_id: int, users: Sequence[Json]) -> str:
    """The lead's field, else the note's user, else the lead's responsible user, else unknown."""
    names = {u["id"]: str(u["name"]) for u in users}
    written = find(lead["custom_fields_values"], "Администратор") if lead else None
    responsible = lead["responsible_user_id"] if lead else None
    return written or names.get(note_user_id) or names.get(responsible, UNKNOWN)


def by_schedule(lead: Json | None, introduced_as: str | None, shift: Sequence[Colleague]) -> str:
    """The person on shift: the only one, the one introduced, or the one the lead's field names."""
    if len(shift) == 1:
        return shift[0].full_name
    for colleague in shift:
        if introduced_as in (colleague.first_name, colleague.short_name) and introduced_as:
            return colleague.full_name
    written = find(lead["custom_fields_values"], "Администратор") if lead else None
    for colleague in shift:
        if written and colleague.last_name in written:
            return colleague.full_name
    return UNKNOWN
