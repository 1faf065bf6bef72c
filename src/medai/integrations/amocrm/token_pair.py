"""A pair of amoCRM tokens and when it must be renewed."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from medai.errors import InvalidInputError

from .models.lenient import JsonObject, mapping, moment

REFRESH_MARGIN = timedelta(minutes=5)
"""Long enough for a slow refresh and for clocks that differ between machines."""

REFRESH_SHARE = 0.8
"""Of the token's life (amocrm.md 13.2): a day-long token leaves 4.8 hours to survive an outage."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Tokens of one account. Times are aware UTC. A long-lived token has no `refresh`.

    `issued_at` None (rows of the replaced system) is read from the JWT when it tells.
    """

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: datetime
    issued_at: datetime | None = None

    @classmethod
    def long_lived(cls, access: str) -> Self:
        """A token made by hand in the CRM's settings; its end is the JWT's `exp`.

        Raises InvalidInputError when the text is no such token.
        """
        claims = jwt_claims(access)
        expires_at = moment(claims.get("exp"))
        if expires_at is None:
            raise InvalidInputError(
                "Это не долгосрочный токен amoCRM: скопируйте его целиком со вкладки «Ключи»"
            )
        return cls(access, None, expires_at, moment(claims.get("iat")))

    def is_valid(self, now: datetime) -> bool:
        """Whether the access token has not expired by `now`."""
        return now < self.expires_at

    def is_due(self, now: datetime) -> bool:
        """Whether a refresh should happen now: at 80 % of life or 5 minutes before the end."""
        issued_at = self.issued_at or moment(jwt_claims(self.access).get("iat"))
        if issued_at is None:
            return now >= self.expires_at - REFRESH_MARGIN
        life = self.expires_at - issued_at
        # Half of a very short life, or a token of four minutes would be due when it is born.
        margin = max(life * (1 - REFRESH_SHARE), min(REFRESH_MARGIN, life / 2))
        return now >= self.expires_at - margin


def jwt_claims(token: str) -> JsonObject:
    """The claims of a JWT, unverified (the token is our own); empty for anything else."""
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return mapping(json.loads(base64.urlsafe_b64decode(padded)))
    except (IndexError, ValueError, RecursionError):
        return {}
