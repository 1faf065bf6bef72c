"""A call while the day is being invented, before note ids and conclusions are known."""

from dataclasses import dataclass
from datetime import datetime

from medai.sandbox.world.models import CardType, Dialogue


@dataclass(slots=True)
class Draft:
    """One posting of a call by the PBX. `at` aware UTC, `duration` seconds."""

    at: datetime
    collection: CardType
    entity_id: int
    outbound: bool
    phone: str
    duration: int
    uniq: str
    user_id: int
    lead_id: int | None = None
    dialogue: Dialogue | None = None
    skip_reason: str | None = None
    link: str = ""
