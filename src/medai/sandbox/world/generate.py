"""The demo world: two clinics, one business day, everything that can happen on a telephone."""

import random
from datetime import date

from medai.sandbox.world.book import Book
from medai.sandbox.world.casting import Casting, Signatures
from medai.sandbox.world.day import Day
from medai.sandbox.world.finish import finish
from medai.sandbox.world.models import SimClinic, SimShift, World
from medai.sandbox.world.phrases.common import INJECTION, MARKUP
from medai.sandbox.world.profiles import PROFILES, Profile
from medai.sandbox.world.setup import setup

_FIRST_CARD_ID = 1_000


def generate(*, seed: int, day: date, calls_per_clinic: int = 34) -> World:
    """Two clinics with `calls_per_clinic` calls each on `day` (at least 17, see plan.py).

    The same arguments give the same world, byte for byte, in every process. Two more calls per
    clinic lie minutes outside the business day and must not be counted.
    """
    rng = random.Random(seed)
    signatures = Signatures()
    oddities = zip(PROFILES, (INJECTION, MARKUP), strict=True)
    clinics = tuple(
        _clinic(profile, Casting(profile, signatures, oddity, rng), day, calls_per_clinic, rng)
        for profile, oddity in oddities
    )
    return World(seed, day, clinics)


def _clinic(
    profile: Profile, casting: Casting, day: date, calls: int, rng: random.Random
) -> SimClinic:
    fixed = setup(profile)
    book = Book(fixed, profile.first_id + _FIRST_CARD_ID, rng)
    life = Day(profile, book, casting, rng)
    life.live(day, calls)
    return SimClinic(
        client_id=profile.client_id,
        client_secret=f"secret-{rng.getrandbits(64):016x}",
        redirect_url=f"https://{profile.subdomain}.example/oauth",
        auth_code=f"code-{rng.getrandbits(64):016x}",
        name=profile.name,
        subdomain=profile.subdomain,
        account_id=profile.account_id,
        timezone=profile.timezone,
        attribution=profile.attribution,
        users=fixed.users,
        pipelines=fixed.pipelines,
        custom_fields=fixed.custom_fields,
        leads=book.leads,
        contacts=book.contacts,
        companies=book.companies,
        calls=finish(profile, book, life.drafts, rng),
        events=tuple(sorted(book.events, key=lambda event: event.at)),
        schedule=tuple(
            SimShift(day, c.first_name, c.last_name) for c in profile.colleagues if c.on_shift
        ),
    )
