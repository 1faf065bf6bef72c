"""A big clinic for benchmarks: thousands of calls at once, no peculiarities."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from medai.kit.days import Window, day_window
from medai.sandbox.world.book import Book
from medai.sandbox.world.bulk_calls import OPEN_SECONDS, PROFILE, Load, call
from medai.sandbox.world.conversion import conversion_type
from medai.sandbox.world.crm import Json
from medai.sandbox.world.dialogues import Brief, compose
from medai.sandbox.world.facts import Setting
from medai.sandbox.world.models import Dialogue, SimClinic, SimEvent, World
from medai.sandbox.world.people import person
from medai.sandbox.world.scenes.common import Course
from medai.sandbox.world.setup import setup

_OPENS = time(9, 0)


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
    book = Book(setup(PROFILE), PROFILE.first_id + 1_000, rng)
    tz = ZoneInfo(PROFILE.timezone)
    opening = datetime.combine(day, _OPENS, tz).astimezone(UTC)
    cards = unique_cards or max(1, calls * 7 // 10)
    pairs = [_cards(book, number, opening) for number in range(cards)]
    _book_some(book, calls // 5 if status_events is None else status_events, opening)
    contacts, leads = zip(*pairs, strict=True)
    load = Load(book, leads, contacts, _dialogues(shared_recordings, rng), opening)
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
        at = opening + timedelta(seconds=number * (OPEN_SECONDS - 1) // max(events, 1))
        book.move(leads[number * 3 % len(leads)], booked, at)


def _dialogues(count: int, rng: random.Random) -> tuple[Dialogue, ...]:
    colleague = PROFILE.colleagues[0]
    return tuple(
        compose(
            Brief(
                id=f"{PROFILE.subdomain}-{number:03d}",
                call_type_id=number % 5 + 1,
                setting=Setting(
                    PROFILE.name,
                    PROFILE.address,
                    colleague.first_name,
                    person(rng),
                    rng.choice(PROFILE.topics),
                ),
                course=Course("open", False, True),
                skill=colleague.skill,
                channels=number % 2 + 1,
            ),
            rng,
        )
        for number in range(count)
    )


def _clinic(load: Load, calls: int, window: Window) -> SimClinic:
    fixed, book = load.book.setup, load.book
    converted = _conversions(load, window)
    return SimClinic(
        client_id=PROFILE.client_id,
        client_secret="bulk-secret",  # noqa: S106 - invented
        redirect_url=f"https://{PROFILE.subdomain}.example/oauth",
        auth_code="bulk-code",
        name=PROFILE.name,
        subdomain=PROFILE.subdomain,
        account_id=PROFILE.account_id,
        timezone=PROFILE.timezone,
        attribution=PROFILE.attribution,
        users=fixed.users,
        pipelines=fixed.pipelines,
        custom_fields=fixed.custom_fields,
        leads=book.leads,
        contacts=book.contacts,
        calls=tuple(call(load, converted, number, calls) for number in range(calls)),
        events=tuple(book.events),
    )


def _conversions(load: Load, window: Window) -> dict[int, str | None]:
    by_lead: dict[int, list[SimEvent]] = defaultdict(list)
    for event in load.book.events:
        by_lead[event.entity_id].append(event)
    return {
        lead["id"]: conversion_type(lead, by_lead[lead["id"]], window, load.book.setup)
        for lead in load.leads
    }
