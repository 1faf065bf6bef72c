"""CRM events (amocrm.md 3.4)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from .lenient import JsonObject, integer, mapping, moment, objects, text


@dataclass(frozen=True, slots=True)
class StatusRef:
    """A lead status; its id means nothing without the pipeline (amocrm.md 7)."""

    pipeline_id: int
    status_id: int


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A custom field's value on one side of a change event."""

    field_id: int
    enum_id: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `entity_type` is singular ("lead"); `created_by` 0 is a robot; time is UTC."""

    id: str
    type: str
    entity_id: int
    entity_type: str
    created_by: int
    created_at: datetime
    value_after: tuple[JsonObject, ...] = field(repr=False)
    value_before: tuple[JsonObject, ...] = field(repr=False)
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The event, or None when it has no id, card or time to be stored under."""
        event_id, entity_id = text(row.get("id")), integer(row.get("entity_id"))
        created_at = moment(row.get("created_at"))
        if not event_id or entity_id is None or created_at is None:
            return None
        return cls(
            id=event_id,
            type=text(row.get("type")),
            entity_id=entity_id,
            entity_type=text(row.get("entity_type")),
            created_by=integer(row.get("created_by")) or 0,
            created_at=created_at,
            value_after=objects(row.get("value_after")),
            value_before=objects(row.get("value_before")),
            raw=row,
        )

    @property
    def note_id(self) -> int | None:
        """The note behind a call or note event: value_after[0].note.id."""
        first = self.value_after[0] if self.value_after else {}
        return integer(mapping(first.get("note")).get("id"))

    @property
    def status_after(self) -> StatusRef | None:
        """The status a lead_status_changed event moved to."""
        return _status(self.value_after)

    @property
    def status_before(self) -> StatusRef | None:
        """The status a lead_status_changed event moved from."""
        return _status(self.value_before)

    @property
    def fields_after(self) -> tuple[FieldChange, ...]:
        """The new values of a custom field event; several are possible."""
        return _fields(self.value_after)

    @property
    def fields_before(self) -> tuple[FieldChange, ...]:
        """The former values of a custom field event."""
        return _fields(self.value_before)


def _status(values: tuple[JsonObject, ...]) -> StatusRef | None:
    for value in values:
        status = mapping(value.get("lead_status"))
        status_id, pipeline_id = integer(status.get("id")), integer(status.get("pipeline_id"))
        if status_id is not None and pipeline_id is not None:
            return StatusRef(pipeline_id, status_id)
    return None


def _fields(values: tuple[JsonObject, ...]) -> tuple[FieldChange, ...]:
    items = (mapping(value.get("custom_field_value")) for value in values)
    return tuple(
        FieldChange(field_id, integer(item.get("enum_id")), text(item.get("text")))
        for item in items
        if (field_id := integer(item.get("field_id"))) is not None
    )
