"""The cards behind a day's calls: who has a contact, a lead, an older deal, which values."""

import random
from datetime import datetime, timedelta

from medai.sandbox.world import plan as plans
from medai.sandbox.world.book import Book
from medai.sandbox.world.bookings import Entries
from medai.sandbox.world.casting import Casting
from medai.sandbox.world.crm import Json
from medai.sandbox.world.people import Person
from medai.sandbox.world.plan import Planned
from medai.sandbox.world.profiles import Colleague, Profile
from medai.sandbox.world.setup import SOURCES, SPEEDS

_COMPANY = "ООО «Пример и партнёры»"
_HOSTILE_LEAD = "=СУММ(1;2) <b>VIP</b>"
_HAS_OLDER_LEAD, _HAS_SOURCE, _HAS_SPEED = 0.3, 0.85, 0.8


class Cards:
    """Makes the cards of one clinic's day in its book."""

    def __init__(self, profile: Profile, book: Book, casting: Casting, rng: random.Random) -> None:
        self._profile = profile
        self._book = book
        self._casting = casting
        self._rng = rng
        self._entries = Entries(book)
        self._phones = 0

    def person_and_lead(
        self, item: Planned, who: Person, colleague: Colleague, *, with_lead: bool
    ) -> tuple[Json, Json | None]:
        """A new contact and its lead in work; an older deal for some."""
        book, user = self._book, self.user(colleague)
        contact = book.contact(who.full_name, self._phone(), item.at, user)
        if not with_lead:
            return contact, None
        pipeline = book.setup.repeat if item.call_type_id == 2 else book.setup.first
        name = _HOSTILE_LEAD if item.place == plans.MIDNIGHT else f"Обращение: {who.full_name}"
        linked = () if item.place == plans.LONG else (contact,)
        lead = book.lead(name, item.at, user, pipeline=pipeline, contacts=linked)
        if self._rng.random() < _HAS_OLDER_LEAD:
            self._older_lead(item.at, user, contact)
        return contact, lead

    def _older_lead(self, at: datetime, user: int, contact: Json) -> None:
        """An earlier deal with a higher id: the newest by `updated_at` is still the other one."""
        book = self._book
        before = at - timedelta(days=40)
        book.lead(
            "Прошлое обращение", before, user, pipeline=book.setup.repeat, contacts=(contact,)
        )

    def company(self, at: datetime, colleague: Colleague) -> Json:
        """A company card without leads or contacts."""
        return self._book.company(_COMPANY, self._phone(), at, self.user(colleague))

    def fill(self, lead: Json, item: Planned, colleague: Colleague) -> None:
        """Write the lead's fields and what the staff entered after the talk, once."""
        if lead["custom_fields_values"]:
            return
        book, setup, rng = self._book, self._book.setup, self._rng
        written = self._casting.written_administrator(item, colleague)
        if written:
            book.set_field(lead, setup.administrator, written)
        if rng.random() < _HAS_SOURCE:
            book.set_field(lead, setup.source, rng.choice(SOURCES))
        if rng.random() < _HAS_SPEED:
            book.set_field(lead, setup.speed, rng.choice(tuple(SPEEDS)))
        if item.kind == plans.TALK:
            self._entries.enter(lead, item.call_type_id, item.outcome, item.at)

    def _phone(self) -> str:
        """The next number; the ninth person shares the third one's."""
        self._phones += 1
        number = 3 if self._phones == 9 else self._phones % 100
        return f"+7 900 000-00-{number:02d}"

    def user(self, colleague: Colleague) -> int:
        """The amoCRM user id of an administrator."""
        place = self._profile.colleagues.index(colleague)
        return int(self._book.setup.users[place]["id"])
