"""A big clinic for benchmarks: thousands of calls at once, no peculiarities."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from medai.kit.days import Window, day_window
from medai.sandbox.world.book import Book
from medai.sandbox.world.conversion import conversion_type
from medai.sandbox.world.crm import Json
from medai.sandbox.world.dialogues import Brief, compose
from medai.sandbox.world.facts import Setting
from medai.sandbox.world.finish import UNDEFINED_SOURCE
from medai.sandbox.world.ids import event_id
from medai.sandbox.world.models import Dialogue, Expected, SimCall, SimClinic, SimEvent, World
from medai.sandbox.world.people import person
from medai.sandbox.world.profiles import Colleague, Profile
from medai.sandbox.world.scenes.common import Course
from medai.sandbox.world.setup import setup
from medai.sandbox.world.topics import MEDICAL

_PROFILE = Profile(
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
_OPENS, _OPEN_SECONDS = time(9, 0), 12 * 3600
_LEAD_NOTES = 3
"""Of five notes three lie on leads and two on contacts (amocrm.md 12.2)."""


@dataclass(frozen=True, slots=True)
class _Load:
    """The cards and how calls are spread over them."""

    book: Book
    leads: tuple[Json, ...]
    contacts: tuple[Json, ...]
    dialogues: tuple[Dialogue, ...]
    opening: datetime


def generate_bulk(
    *,
    seed: int,
    day: date,
    calls: int,
    unique_cards: int | None = None,
    status_events: int | None = None,
    shared_recordings: int = 0,
) -> World:
    """One clinic with `calls` calls on `day`: 60 % of the notes on leads, 40 % on contacts.

    `unique_cards` leads, each with a contact of its own, are touched (default 70 % of the calls);
    `status_events` bookings (default a fifth of the calls). `shared_recordings` dialogues are
    shared in turn by all calls; 0 means calls without links. 10,000 calls take about a second.
    """
    rng = random.Random(seed)
    book = Book(setup(_PROFILE), _PROFILE.first_id + 1_000, rng)
    tz = ZoneInfo(_PROFILE.timezone)
    opening = datetime.combine(day, _OPENS, tz).astimezone(UTC)
    cards = unique_cards or max(1, calls * 7 // 10)
    pairs = [_cards(book, number, opening) for number in range(cards)]
    _book_some(book, calls // 5 if status_events is None else status_events, opening)
    contacts, leads = zip(*pairs, strict=True)
    load = _Load(book, leads, contacts, _dialogues(shared_recordings, rng), opening)
    return World(seed, day, (_clinic(load, calls, day_window(day, tz)),))


def _cards(book: Book, number: int, at: datetime) -> tuple[Json, Json]:
    users = book.setup.users
    user_id = users[number % len(users)]["id"]
    phone = f"+7 900 000-00-{number % 100:02d}"
    contact = book.contact(f"Пациент {number}", phone, at, user_id)
    linked = (contact,)
    lead = book.lead(f"Обращение {number}", at, user_id, pipeline=book.setup.first, contacts=linked)
    return contact, lead


def _book_some(book: Book, events: int, opening: datetime) -> None:
    leads = list(book.leads.values())
    booked = book.setup.booked(book.setup.first)
    for number in range(events):
        at = opening + timedelta(seconds=number * (_OPEN_SECONDS - 1) // max(events, 1))
        book.move(leads[number * 3 % len(leads)], booked, at)


def _dialogues(count: int, rng: random.Random) -> tuple[Dialogue, ...]:
    colleague = _PROFILE.colleagues[0]
    return tuple(
        compose(
            Brief(
                id=f"{_PROFILE.subdomain}-{number:03d}",
                call_type_id=number % 5 + 1,
                setting=Setting(
                    _PROFILE.name,
                    _PROFILE.address,
                    colleague.first_name,
                    person(rng),
                    rng.choice(_PROFILE.topics),
                ),
                course=Course("open", False, True),
                skill=colleague.skill,
                channels=number % 2 + 1,
            ),
            rng,
        )
        for number in range(count)
    )


def _clinic(load: _Load, calls: int, window: Window) -> SimClinic:
    fixed, book = load.book.setup, load.book
    converted = _conversions(load, window)
    return SimClinic(
        client_id=_PROFILE.client_id,
        client_secret="bulk-secret",  # noqa: S106 - invented
        redirect_url=f"https://{_PROFILE.subdomain}.example/oauth",
        auth_code="bulk-code",
        name=_PROFILE.name,
        subdomain=_PROFILE.subdomain,
        account_id=_PROFILE.account_id,
        timezone=_PROFILE.timezone,
        attribution=_PROFILE.attribution,
        users=fixed.users,
        pipelines=fixed.pipelines,
        custom_fields=fixed.custom_fields,
        leads=book.leads,
        contacts=book.contacts,
        calls=tuple(_call(load, converted, number, calls) for number in range(calls)),
        events=tuple(book.events),
    )


def _conversions(load: _Load, window: Window) -> dict[int, str | None]:
    by_lead: dict[int, list[SimEvent]] = defaultdict(list)
    for event in load.book.events:
        by_lead[event.entity_id].append(event)
    return {
        lead["id"]: conversion_type(lead, by_lead[lead["id"]], window, load.book.setup)
        for lead in load.leads
    }


def _call(load: _Load, converted: dict[int, str | None], number: int, calls: int) -> SimCall:
    on_lead = number % 5 < _LEAD_NOTES
    place = _place(number, calls) % len(load.leads)
    lead, contact = load.leads[place], load.contacts[place]
    at = load.opening + timedelta(seconds=number * _OPEN_SECONDS // calls)
    dialogue = load.dialogues[number % len(load.dialogues)] if load.dialogues else None
    kind = converted[lead["id"]]
    return SimCall(
        note_id=_PROFILE.first_id * 10 + number + 1,
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
            administrator=_PROFILE.colleagues[place % len(_PROFILE.colleagues)].full_name,
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
