"""One clinic's day: people call, cards are filled, the PBX posts notes."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from medai.sandbox.world import plan as plans
from medai.sandbox.world.book import Book
from medai.sandbox.world.cards import Cards
from medai.sandbox.world.casting import Casting
from medai.sandbox.world.crm import Json
from medai.sandbox.world.draft import Draft
from medai.sandbox.world.people import Person, person
from medai.sandbox.world.plan import Planned, plan
from medai.sandbox.world.profiles import Colleague, Profile

_SHORT_SECONDS = (1, 5)


class Day:
    """Invents the calls of one clinic. `drafts` holds what the PBX posted, in no order."""

    def __init__(self, profile: Profile, book: Book, casting: Casting, rng: random.Random) -> None:
        self.drafts: list[Draft] = []
        self._profile = profile
        self._book = book
        self._casting = casting
        self._rng = rng
        self._cards = Cards(profile, book, casting, rng)
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
        contact, lead = self._cards.person_and_lead(item, who, colleague, with_lead=True)
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
            card = self._cards.company(item.at, role.colleague)
            draft = self._draft(item.at, card, None, role.colleague)
        else:
            who, contact, lead = self._people(item, role.colleague)
            if lead is not None:
                self._cards.fill(lead, item, role.colleague)
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
        contact, lead = self._cards.person_and_lead(
            item, who, colleague, with_lead=item.place != plans.NO_LEAD
        )
        if item.place == plans.FIRST_OF_PAIR:
            self._pair = (who, contact, lead)
        return who, contact, lead

    def _holder(self, item: Planned, lead: Json | None) -> Json | None:
        """The lead when the PBX put the note there, None for the contact card (40 %)."""
        on_contact = {plans.DUPLICATED, plans.FIRST_OF_PAIR, plans.SECOND_OF_PAIR}
        if item.place in on_contact or (item.place != plans.LONG and item.place % 5 > 2):
            return None
        return lead

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
            user_id=self._cards.user(colleague),
        )

    def _post(self, item: Planned, draft: Draft) -> None:
        self.drafts.append(draft)
        if item.place == plans.DUPLICATED and draft.lead_id is not None:
            draft.user_id = 0
            again = replace(draft, collection="leads", entity_id=draft.lead_id)
            again.skip_reason = "duplicate"
            self.drafts.append(again)


def _skip(draft: Draft, duration: int, reason: str | None) -> None:
    draft.duration, draft.skip_reason = duration, reason


def _spoken_form(phone: str, rng: random.Random) -> str:
    """The number as one PBX or another writes it."""
    plain = "".join(sign for sign in phone if sign.isdigit())
    return rng.choice((phone, f"+{plain}", f"8{plain[1:]}", plain))
