"""One clinic's day: people call, cards are filled, the PBX posts notes."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from medai.sandbox.world import plan as plans
from medai.sandbox.world.book import Book
from medai.sandbox.world.bookings import Entries
from medai.sandbox.world.casting import Casting
from medai.sandbox.world.crm import Json
from medai.sandbox.world.draft import Draft
from medai.sandbox.world.people import Person, person
from medai.sandbox.world.plan import Planned, plan
from medai.sandbox.world.profiles import Colleague, Profile
from medai.sandbox.world.setup import SOURCES, SPEEDS

_COMPANY = "ООО «Пример и партнёры»"
_HOSTILE_LEAD = "=СУММ(1;2) <b>VIP</b>"
_SHORT_SECONDS = (1, 5)


class Day:
    """Invents the calls of one clinic. `drafts` holds what the PBX posted, in no order."""

    def __init__(self, profile: Profile, book: Book, casting: Casting, rng: random.Random) -> None:
        self.drafts: list[Draft] = []
        self._profile = profile
        self._book = book
        self._casting = casting
        self._rng = rng
        self._entries = Entries(book)
        self._phones = 0
        self._pair: tuple[Person, Json, Json | None] | None = None

    def live(self, day: date, calls: int) -> None:
        """All calls of the day and the two just outside it."""
        for item in plan(day, ZoneInfo(self._profile.timezone), calls, self._rng):
            self._silent(item) if item.call_type_id == 0 else self._talk(item)

    def _silent(self, item: Planned) -> None:
        rules: dict[str, Callable[[Draft], None]] = {
            plans.MISSED: lambda d: _skip(d, 0, "zero_duration"),
            plans.SHORT: lambda d: _skip(d, self._rng.randint(*_SHORT_SECONDS), "short"),
            plans.NOTE_LINK: lambda d: _skip(d, 47, "note_link"),
            plans.NO_LINK: lambda d: _skip(d, 40, None),
        }
        who = person(self._rng)
        on_contact = item.kind in (plans.NOTE_LINK, plans.MISSED)
        colleague = self._casting.colleague()
        contact, lead = self._cards(item, who, colleague, with_lead=True)
        if lead is not None:
            self._book.set_field(lead, self._book.setup.administrator, colleague.full_name)
        draft = self._draft(item.at, contact, None if on_contact else lead, colleague)
        rules[item.kind](draft)
        draft.link = "note" if item.kind == plans.NOTE_LINK else ""
        self.drafts.append(draft)

    def _talk(self, item: Planned) -> None:
        role = self._casting.cast(item)
        if item.place == plans.COMPANY:
            who = person(self._rng)
            card = self._book.company(_COMPANY, self._phone(), item.at, self._user(role.colleague))
            draft = self._draft(item.at, card, None, role.colleague)
        else:
            who, contact, lead = self._people(item, role.colleague)
            if lead is not None:
                self._fill(lead, item, role.colleague)
            draft = self._draft(item.at, contact, self._holder(item, lead), role.colleague)
            draft.lead_id = lead["id"] if lead else None
        draft.outbound = role.course.outbound
        draft.dialogue = self._casting.play(item, role, who)
        draft.duration = round(draft.dialogue.seconds)
        self._post(item, draft)

    def _people(self, item: Planned, colleague: Colleague) -> tuple[Person, Json, Json | None]:
        if item.place == plans.SECOND_OF_PAIR and self._pair:
            return self._pair
        who = person(self._rng)
        contact, lead = self._cards(item, who, colleague, with_lead=item.place != plans.NO_LEAD)
        if item.place == plans.FIRST_OF_PAIR:
            self._pair = (who, contact, lead)
        return who, contact, lead

    def _holder(self, item: Planned, lead: Json | None) -> Json | None:
        """The lead when the PBX put the note there, None for the contact card (40 %)."""
        on_contact = {plans.DUPLICATED, plans.FIRST_OF_PAIR, plans.SECOND_OF_PAIR}
        if item.place in on_contact or (item.place != plans.LONG and item.place % 5 > 2):
            return None
        return lead

    def _cards(
        self, item: Planned, who: Person, colleague: Colleague, *, with_lead: bool
    ) -> tuple[Json, Json | None]:
        book, user = self._book, self._user(colleague)
        contact = book.contact(who.full_name, self._phone(), item.at, user)
        if not with_lead:
            return contact, None
        pipeline = book.setup.repeat if item.call_type_id == 2 else book.setup.first
        name = _HOSTILE_LEAD if item.place == plans.MIDNIGHT else f"Обращение: {who.full_name}"
        linked = () if item.place == plans.LONG else (contact,)
        lead = book.lead(name, item.at, user, pipeline=pipeline, contacts=linked)
        if self._rng.random() < 0.3:
            self._older_lead(item.at, user, contact)
        return contact, lead

    def _older_lead(self, at: datetime, user: int, contact: Json) -> None:
        """An earlier deal with a higher id: the newest by `updated_at` is still the other one."""
        book = self._book
        before = at - timedelta(days=40)
        book.lead(
            "Прошлое обращение", before, user, pipeline=book.setup.repeat, contacts=(contact,)
        )

    def _fill(self, lead: Json, item: Planned, colleague: Colleague) -> None:
        if lead["custom_fields_values"]:
            return
        book, setup, rng = self._book, self._book.setup, self._rng
        written = self._casting.written_administrator(item, colleague)
        if written:
            book.set_field(lead, setup.administrator, written)
        if rng.random() < 0.85:
            book.set_field(lead, setup.source, rng.choice(SOURCES))
        if rng.random() < 0.8:
            book.set_field(lead, setup.speed, rng.choice(tuple(SPEEDS)))
        if item.kind == plans.TALK:
            self._entries.enter(lead, item.call_type_id, item.outcome, item.at)

    def _draft(self, at: datetime, card: Json, lead: Json | None, colleague: Colleague) -> Draft:
        held = card if lead is None else lead
        company = held["id"] in self._book.companies
        return Draft(
            at=at,
            collection="companies" if company else "contacts" if lead is None else "leads",
            entity_id=held["id"],
            outbound=False,
            phone=_spoken_form(card["custom_fields_values"][0]["values"][0]["value"], self._rng),
            duration=0,
            uniq=f"pbx-{self._rng.getrandbits(48):012x}",
            user_id=self._user(colleague),
        )

    def _post(self, item: Planned, draft: Draft) -> None:
        self.drafts.append(draft)
        if item.place == plans.DUPLICATED and draft.lead_id is not None:
            draft.user_id = 0
            again = replace(draft, collection="leads", entity_id=draft.lead_id)
            again.skip_reason = "duplicate"
            self.drafts.append(again)

    def _phone(self) -> str:
        """The next number; the ninth person shares the third one's."""
        self._phones += 1
        number = 3 if self._phones == 9 else self._phones % 100
        return f"+7 900 000-00-{number:02d}"

    def _user(self, colleague: Colleague) -> int:
        place = self._profile.colleagues.index(colleague)
        return int(self._book.setup.users[place]["id"])


def _skip(draft: Draft, duration: int, reason: str | None) -> None:
    draft.duration, draft.skip_reason = duration, reason


def _spoken_form(phone: str, rng: random.Random) -> str:
    """The number as one PBX or another writes it."""
    plain = "".join(sign for sign in phone if sign.isdigit())
    return rng.choice((phone, f"+{plain}", f"8{plain[1:]}", plain))
