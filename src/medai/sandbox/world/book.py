"""A clinic's cards while its day is being invented: ids, links and events stay consistent."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from medai.sandbox.world import crm
from medai.sandbox.world.crm import Json, Times
from medai.sandbox.world.ids import event_id
from medai.sandbox.world.models import SimEvent
from medai.sandbox.world.setup import Setup


@dataclass(slots=True)
class Book:
    """Leads, contacts, companies and events of one account, growing."""

    setup: Setup
    next_id: int
    rng: random.Random
    leads: dict[int, Json] = field(default_factory=dict)
    contacts: dict[int, Json] = field(default_factory=dict)
    companies: dict[int, Json] = field(default_factory=dict)
    events: list[SimEvent] = field(default_factory=list)

    def contact(self, name: str, phone: str, at: datetime, user_id: int) -> Json:
        """A new contact, made ten days before `at`."""
        card = crm.contact(
            self.setup.account, self._id(), name, _times(at), phone=phone, user_id=user_id
        )
        self.contacts[card["id"]] = card
        return card

    def company(self, name: str, phone: str, at: datetime, user_id: int) -> Json:
        """A new company card."""
        card = crm.company(
            self.setup.account, self._id(), name, _times(at), phone=phone, user_id=user_id
        )
        self.companies[card["id"]] = card
        return card

    def lead(
        self, name: str, at: datetime, user_id: int, *, pipeline: Json, contacts: tuple[Json, ...]
    ) -> Json:
        """A new lead in work, last changed at `at`, linked with its contacts both ways."""
        account = self.setup.account
        status = self.setup.status(pipeline, "В работе")
        card = crm.lead(account, self._id(), name, _times(at), status=status, user_id=user_id)
        crm.join(account, card, contacts)
        self.leads[card["id"]] = card
        return card

    def set_field(self, lead: Json, definition: Json, value: str) -> None:
        """Let the lead hold the value now (no event)."""
        kept = [v for v in lead["custom_fields_values"] or () if v["field_id"] != definition["id"]]
        lead["custom_fields_values"] = [*kept, crm.field_value(definition, value)]

    def move(self, lead: Json, status: tuple[int, int], at: datetime) -> None:
        """Change the lead's status at a moment and log the event."""
        before = {"id": lead["status_id"], "pipeline_id": lead["pipeline_id"]}
        after = {"id": status[1], "pipeline_id": status[0]}
        lead["pipeline_id"], lead["status_id"] = status
        if status[1] in (crm.WON, crm.LOST):
            lead["closed_at"] = int(at.timestamp())
        values = ({"lead_status": after}, {"lead_status": before})
        self._log("lead_status_changed", lead, at, values)

    def confirm(self, lead: Json, at: datetime, text: str, enum_id: int | None) -> None:
        """Log that the confirmation field got a value at a moment; the lead holds it now."""
        definition = self.setup.confirmation
        self.set_field(lead, definition, text)
        after = {"field_id": definition["id"], "field_type": 4, "enum_id": enum_id, "text": text}
        kind = f"custom_field_{definition['id']}_value_changed"
        self._log(kind, lead, at, ({"custom_field_value": after}, None))

    def _log(self, kind: str, lead: Json, at: datetime, values: tuple[Json, Json | None]) -> None:
        after, before = values
        lead["updated_at"] = max(lead["updated_at"], int(at.timestamp()))
        self.events.append(
            SimEvent(
                id=event_id(at, self.rng),
                type=kind,
                entity_id=lead["id"],
                entity_type="lead",
                created_by=lead["responsible_user_id"],
                at=at,
                value_after=(after,),
                value_before=(before,) if before else (),
            )
        )

    def _id(self) -> int:
        self.next_id += 1
        return self.next_id


def find(values: list[dict[str, Any]] | None, name: str) -> str | None:
    """The first value of the custom field with that name, case ignored; None without it."""
    for item in values or ():
        if str(item["field_name"]).lower() == name.lower() and item["values"]:
            return str(item["values"][0]["value"])
    return None


def _times(at: datetime) -> Times:
    made = at - timedelta(days=10)
    return Times(int(made.timestamp()), int(at.timestamp()))
