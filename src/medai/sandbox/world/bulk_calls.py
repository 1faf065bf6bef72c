"""The calls of a big clinic: spread evenly over its cards and its opening hours."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from medai.sandbox.world.book import Book
from medai.sandbox.world.crm import Json
from medai.sandbox.world.finish import UNDEFINED_SOURCE
from medai.sandbox.world.ids import event_id
from medai.sandbox.world.models import Dialogue, Expected, SimCall
from medai.sandbox.world.profiles import Colleague, Profile
from medai.sandbox.world.topics import MEDICAL

PROFILE = Profile(
    name="Большая клиника",
    subdomain="bulk-clinic",
    address="Длинная улица, дом один",
    timezone="Europe/Moscow",
    attribution="amocrm",
    account_id=63003,
    first_id=1_000_000,
    topics=MEDICAL,
    colleagues=tuple(
        Colleague(name, "Нагрузкина", 0.7) for name in ("Алла", "Белла", "Вера", "Дина", "Ева")
    ),
)
OPEN_SECONDS = 12 * 3600
_LEAD_NOTES = 3
"""Of five notes three lie on leads and two on contacts (amocrm.md 12.2)."""


@dataclass(frozen=True, slots=True)
class Load:
    """The cards and how calls are spread over them."""

    book: Book
    leads: tuple[Json, ...]
    contacts: tuple[Json, ...]
    dialogues: tuple[Dialogue, ...]
    opening: datetime


def call(load: Load, converted: dict[int, str | None], number: int, calls: int) -> SimCall:
    """The call of that number out of `calls`; `converted` by lead id."""
    on_lead = number % 5 < _LEAD_NOTES
    place = _place(number, calls) % len(load.leads)
    lead, contact = load.leads[place], load.contacts[place]
    at = load.opening + timedelta(seconds=number * OPEN_SECONDS // calls)
    dialogue = load.dialogues[number % len(load.dialogues)] if load.dialogues else None
    kind = converted[lead["id"]]
    return SimCall(
        note_id=PROFILE.first_id * 10 + number + 1,
        event_id=event_id(at, load.book.rng),
        collection="leads" if on_lead else "contacts",
        entity_id=lead["id"] if on_lead else contact["id"],
        direction="outbound" if number % 2 else "inbound",
        at=at,
        phone=contact["custom_fields_values"][0]["values"][0]["value"],
        duration=round(dialogue.seconds) if dialogue else 60,
        uniq=f"bulk-{number}",
        recording=dialogue.id if dialogue else None,
        dialogue=dialogue,
        responsible_user_id=lead["responsible_user_id"],
        expected=Expected(
            converted=kind is not None,
            conversion_type=kind,
            administrator=PROFILE.colleagues[place % len(PROFILE.colleagues)].full_name,
            source=UNDEFINED_SOURCE,
            lead_id=lead["id"],
            lead_name=lead["name"],
            contact_id=contact["id"],
            contact_name=contact["name"],
        ),
    )


def _place(number: int, calls: int) -> int:
    """The card of a call: lead notes take the first cards, contact notes the ones after them."""
    turn, within = divmod(number, 5)
    if within < _LEAD_NOTES:
        return turn * _LEAD_NOTES + within
    lead_notes = calls // 5 * _LEAD_NOTES + min(calls % 5, _LEAD_NOTES)
    return lead_notes + turn * (5 - _LEAD_NOTES) + within - _LEAD_NOTES
