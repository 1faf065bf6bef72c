"""From drafts to calls: note ids in time order, then what the product must conclude of each."""

import random
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from medai.kit.days import business_day, day_window
from medai.sandbox.world import attribution
from medai.sandbox.world.book import Book, find
from medai.sandbox.world.conversion import conversion_type
from medai.sandbox.world.crm import Json
from medai.sandbox.world.draft import Draft
from medai.sandbox.world.ids import event_id
from medai.sandbox.world.models import Expected, SimCall
from medai.sandbox.world.profiles import Profile
from medai.sandbox.world.setup import SPEEDS

UNDEFINED_SOURCE = "Неопределенный"


def finish(
    profile: Profile, book: Book, drafts: Sequence[Draft], rng: random.Random
) -> tuple[SimCall, ...]:
    """The clinic's calls by time. Drafts of one moment keep their order (a duplicate is later)."""
    ordered = sorted(drafts, key=lambda draft: draft.at)
    first_note = profile.first_id * 10
    return tuple(
        _call(profile, book, draft, first_note + number, event_id(draft.at, rng))
        for number, draft in enumerate(ordered, start=1)
    )


def _call(profile: Profile, book: Book, draft: Draft, note_id: int, event: str) -> SimCall:
    note_api = f"https://{profile.subdomain}.amocrm.ru/api/v4/contacts/{draft.entity_id}/notes/"
    return SimCall(
        note_id=note_id,
        event_id=event,
        collection=draft.collection,
        entity_id=draft.entity_id,
        direction="outbound" if draft.outbound else "inbound",
        at=draft.at,
        phone=draft.phone,
        duration=draft.duration,
        uniq=draft.uniq,
        recording=draft.dialogue.id if draft.dialogue else None,
        dialogue=draft.dialogue,
        responsible_user_id=draft.user_id,
        expected=_expected(profile, book, draft),
        link=f"{note_api}{note_id}" if draft.link else "",
    )


def _expected(profile: Profile, book: Book, draft: Draft) -> Expected:
    lead = lead_of(book, draft)
    contact = _contact_of(book, draft, lead)
    values = lead["custom_fields_values"] if lead else None
    kind = _conversion(profile, book, draft, lead)
    return Expected(
        skip_reason=draft.skip_reason,
        converted=kind is not None,
        conversion_type=kind,
        administrator=_administrator(profile, book, draft, lead),
        source=find(values, "Источник трафика") or UNDEFINED_SOURCE,
        processing_speed_minutes=SPEEDS.get(find(values, "Скорость обработки") or "", 0),
        lead_id=lead["id"] if lead else None,
        lead_name=lead["name"] if lead else "",
        contact_id=contact["id"] if contact else None,
        contact_name=contact["name"] if contact else "",
    )


def lead_of(book: Book, draft: Draft) -> Json | None:
    """The lead that holds the call, or the newest lead of the contact that holds it."""
    if draft.collection == "leads":
        return book.leads[draft.entity_id]
    if draft.collection == "companies":
        return None
    linked = book.contacts[draft.entity_id]["_embedded"]["leads"]
    leads = [book.leads[link["id"]] for link in linked]
    return max(leads, key=lambda lead: lead["updated_at"] or lead["created_at"], default=None)


def _contact_of(book: Book, draft: Draft, lead: Json | None) -> Json | None:
    """The contact that holds the call, or the main contact of the lead that does."""
    if draft.collection == "contacts":
        return book.contacts[draft.entity_id]
    linked = lead["_embedded"]["contacts"] if lead else ()
    return next((book.contacts[link["id"]] for link in linked if link["is_main"]), None)


def _conversion(profile: Profile, book: Book, draft: Draft, lead: Json | None) -> str | None:
    if lead is None:
        return None
    tz = ZoneInfo(profile.timezone)
    window = day_window(business_day(draft.at, tz), tz)
    return conversion_type(lead, book.events, window, book.setup)


def _administrator(profile: Profile, book: Book, draft: Draft, lead: Json | None) -> str:
    if profile.attribution == "amocrm":
        return attribution.by_crm(lead, draft.user_id, book.setup.users)
    introduced = draft.dialogue.introduced_as if draft.dialogue else None
    shift = [colleague for colleague in profile.colleagues if colleague.on_shift]
    return attribution.by_schedule(lead, introduced, shift)
