"""Event ids: 26 lowercase characters that sort by time (amocrm.md 3.4)."""

import random
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARACTERS = 10
_RANDOM_CHARACTERS = 16


def event_id(at: datetime, rng: random.Random) -> str:
    """A ULID in lower case: ten characters of milliseconds, sixteen of chance."""
    return _encoded(int(at.timestamp() * 1000), _TIME_CHARACTERS) + _encoded(
        rng.getrandbits(80), _RANDOM_CHARACTERS
    )


def _encoded(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))
