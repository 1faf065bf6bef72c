"""What the tables of an account hold, and the platform's words for it."""

from typing import Any

from medai.sandbox.world.models import CardType

Row = dict[str, Any]
"""One API v4 object without `_links`. Rows are replaced, never changed in place."""

COLLECTIONS: tuple[CardType, ...] = ("leads", "contacts", "companies")
SINGULAR: dict[CardType, str] = {"leads": "lead", "contacts": "contact", "companies": "company"}
"""`entity_type` of events and links (amocrm.md 3.4, 6.3)."""

WON, LOST = 142, 143
"""Closing statuses of every pipeline (amocrm.md 7)."""

RECORDINGS = "sandbox-recordings:"
"""Stands in stored links for the recording host, whose address is known when somebody asks."""
