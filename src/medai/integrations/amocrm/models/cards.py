"""Leads, contacts, companies and the links between them (amocrm.md 6)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from .lenient import (
    JsonObject,
    embedded,
    embedded_ids,
    flag,
    integer,
    mapping,
    moment,
    objects,
    text,
)

WON_STATUS_ID = 142
LOST_STATUS_ID = 143
"""The same in every pipeline, whatever their names (amocrm.md 7)."""


@dataclass(frozen=True, slots=True)
class FieldItem:
    """One value of a custom field. `value` is text; times are unix seconds as text."""

    value: str
    enum_id: int | None
    enum_code: str


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A filled custom field of a card."""

    field_id: int
    name: str
    code: str
    type: str
    values: tuple[FieldItem, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead. `contact_ids` needs `with=contacts`, which the client always sends."""

    id: int
    name: str = field(repr=False)
    price: int
    pipeline_id: int | None
    status_id: int | None
    responsible_user_id: int | None
    created_at: datetime | None
    updated_at: datetime | None
    closed_at: datetime | None
    is_deleted: bool
    custom_fields: tuple[FieldValue, ...] = field(repr=False)
    contact_ids: tuple[int, ...]
    main_contact_id: int | None
    company_ids: tuple[int, ...]
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The lead, or None without an id."""
        if (lead_id := integer(row.get("id"))) is None:
            return None
        return cls(
            id=lead_id,
            name=text(row.get("name")),
            price=integer(row.get("price")) or 0,
            pipeline_id=integer(row.get("pipeline_id")),
            status_id=integer(row.get("status_id")),
            responsible_user_id=integer(row.get("responsible_user_id")),
            created_at=moment(row.get("created_at")),
            updated_at=moment(row.get("updated_at")),
            closed_at=moment(row.get("closed_at")),
            is_deleted=flag(row.get("is_deleted")) or False,
            custom_fields=_custom_fields(row),
            contact_ids=embedded_ids(row, "contacts"),
            main_contact_id=_main_contact(embedded(row, "contacts")),
            company_ids=embedded_ids(row, "companies"),
            raw=row,
        )


@dataclass(frozen=True, slots=True)
class _Party:
    """What contacts and companies share. `lead_ids` needs `with=leads`, always sent."""

    id: int
    name: str = field(repr=False)
    responsible_user_id: int | None
    created_at: datetime | None
    updated_at: datetime | None
    custom_fields: tuple[FieldValue, ...] = field(repr=False)
    lead_ids: tuple[int, ...]
    contact_ids: tuple[int, ...]
    company_ids: tuple[int, ...]
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The card, or None without an id."""
        if (card_id := integer(row.get("id"))) is None:
            return None
        return cls(
            id=card_id,
            name=text(row.get("name")),
            responsible_user_id=integer(row.get("responsible_user_id")),
            created_at=moment(row.get("created_at")),
            updated_at=moment(row.get("updated_at")),
            custom_fields=_custom_fields(row),
            lead_ids=embedded_ids(row, "leads"),
            contact_ids=embedded_ids(row, "contacts"),
            company_ids=embedded_ids(row, "companies"),
            raw=row,
        )

    @property
    def phones(self) -> tuple[str, ...]:
        """All telephone numbers as they were typed."""
        found = (item.values for item in self.custom_fields if item.code == "PHONE")
        return tuple(item.value for values in found for item in values if item.value)


@dataclass(frozen=True, slots=True)
class Contact(_Party):
    """A person's card."""


@dataclass(frozen=True, slots=True)
class Company(_Party):
    """An organisation's card."""


@dataclass(frozen=True, slots=True)
class Link:
    """A relation between two cards; `to_entity_type` is plural ("contacts")."""

    entity_id: int
    to_entity_id: int
    to_entity_type: str
    is_main_contact: bool

    @classmethod
    def parse(cls, row: JsonObject) -> Self | None:
        """The link, or None when an end is missing."""
        entity_id, target_id = integer(row.get("entity_id")), integer(row.get("to_entity_id"))
        if entity_id is None or target_id is None:
            return None
        main = flag(mapping(row.get("metadata")).get("main_contact")) or False
        return cls(entity_id, target_id, text(row.get("to_entity_type")), main)


def _main_contact(contacts: Iterable[JsonObject]) -> int | None:
    known = [item for item in contacts if integer(item.get("id")) is not None]
    main = [item for item in known if flag(item.get("is_main"))]
    return integer((main or known)[0].get("id")) if known else None


def _custom_fields(row: JsonObject) -> tuple[FieldValue, ...]:
    return tuple(
        FieldValue(
            field_id=field_id,
            name=text(item.get("field_name")),
            code=text(item.get("field_code")).upper(),
            type=text(item.get("field_type")),
            values=tuple(_field_item(value) for value in objects(item.get("values"))),
        )
        for item in objects(row.get("custom_fields_values"))
        if (field_id := integer(item.get("field_id"))) is not None
    )


def _field_item(value: JsonObject) -> FieldItem:
    raw = value.get("value")
    shown = str(raw).lower() if isinstance(raw, bool) else text(raw)
    return FieldItem(shown, integer(value.get("enum_id")), text(value.get("enum_code")))
